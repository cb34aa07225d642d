//! Histories of SFUs. Their lines are written by hand, after the format strings of LiveKit v1.13.5 and lk-jwt-service v0.5.0.

use crate::history::History;

const ALICE: &str = "@alice:a.example:ALICEDEV";
const BOB: &str = "@bob:b.example:BOBDEV";
const CALL: &str = "!call:a.example";
/// Bob's identity at an SFU at which he does not publish.
const HASH: &str = "Xk3fQm0yLr9TzVb2uJwC7dNh5sEoPaG1iKqR8vYtMn4";

/// The log of an SFU, line by line.
struct Sfu {
    room: &'static str,
    sid: &'static str,
    node: &'static str,
    log: String,
}

impl Sfu {
    fn new(room: &'static str, sid: &'static str, node: &'static str) -> Sfu {
        Sfu { room, sid, node, log: String::new() }
    }

    fn line(mut self, at: &str, place: &str, words: &str, who: &str, more: &str) -> Sfu {
        let (room, sid) = (self.room, self.sid);
        let session = format!("PA_{}", who.replace(['@', ':', '.'], ""));
        self.log.push_str(&format!(
            "2026-11-23T{at}.000Z\tINFO\tlivekit\t{place}\t{words}\t{{\"room\": \"{room}\", \"roomID\": \"{sid}\", \"participant\": \"{who}\", \"participantID\": \"{session}\", \"remote\": false{more}}}\n"
        ));
        self
    }

    /// A session begins and is connected a second later.
    fn joins(self, at: &str, who: &str, before: u32) -> Sfu {
        let more = format!(", \"nodeID\": \"{}\", \"numParticipants\": {before}", self.node);
        let then = format!("{}9", &at[..at.len() - 1]);
        self.line(at, "service/roommanager.go:433", "starting RTC session", who, &more).line(
            &then,
            "rtc/room.go:1283",
            "participant active",
            who,
            "",
        )
    }

    fn publishes(self, at: &str, who: &str) -> Sfu {
        let more = ", \"trackInfo\": {\"sid\": \"TR_x\", \"encryption\": \"GCM\"}";
        self.line(at, "rtc/participant.go:2399", "mediaTrack published", who, more)
    }

    fn leaves(self, at: &str, who: &str, reason: &str) -> Sfu {
        let more = format!(", \"reason\": \"{reason}\"");
        self.line(at, "rtc/participant.go:1493", "participant closing", who, &more)
    }

    fn restarts(mut self, at: &str, sid: &'static str) -> Sfu {
        let node = self.node;
        self.log.push_str(&format!(
            "2026-11-23T{at}.000Z\tINFO\tlivekit\tservice/server.go:298\tstarting LiveKit server\t{{\"portHttp\": 7880, \"nodeID\": \"{node}\", \"version\": \"1.13.5\"}}\n"
        ));
        self.sid = sid;
        self
    }
}

const ITSELF: &str = "CLIENT_REQUEST_LEAVE";

/// A member alone at an SFU for five minutes.
fn alone(room: &'static str, sid: &'static str, node: &'static str, who: &str) -> Sfu {
    Sfu::new(room, sid, node).joins("08:30:00", who, 0).publishes("08:30:10", who).leaves("08:35:00", who, ITSELF)
}

fn history(name: &str, logs: [Sfu; 2]) -> History {
    let [one, other] = logs;
    History::new(name).file("sfu-a.log", one.log).file("sfu-b.log", other.log)
}

pub(super) fn histories() -> Vec<History> {
    let one_room = |name: &str, bob_publishes: bool| {
        let sfu = Sfu::new(CALL, "RM_a", "ND_a").joins("08:30:00", ALICE, 0).joins("08:31:00", BOB, 1);
        let sfu = sfu.publishes("08:31:10", ALICE);
        let sfu = if bob_publishes { sfu.publishes("08:31:11", BOB) } else { sfu };
        History::new(name)
            .file("livekit.log", sfu.leaves("08:36:00", BOB, ITSELF).leaves("08:36:10", ALICE, ITSELF).log)
    };
    vec![
        history(
            "two members of a federated call sit at the SFUs of their own servers",
            [alone(CALL, "RM_a", "ND_a", ALICE), alone(CALL, "RM_b", "ND_b", BOB)],
        )
        .proves("different-sfu", CALL)
        .exits(&[1]),
        history(
            "the same, with identities that are hashes, and lines of tokens that name them",
            [alone(CALL, "RM_a", "ND_a", ALICE), alone(CALL, "RM_b", "ND_b", HASH)],
        )
        .file(
            "lk-jwt.log",
            format!("2026/11/23 08:29:59 Created LiveKit room sid: RM_b (alias: {CALL}) for full-access Matrix user @bob:b.example (LiveKit identity: {HASH})\n"),
        )
        .proves("different-sfu", "@bob:b.example"),
        history(
            "two SFUs of other programs have a room of the same name",
            [alone("standup", "RM_a", "ND_a", ALICE), alone("standup", "RM_b", "ND_b", BOB)],
        )
        .never_proves("different-sfu", ""),
        history(
            "each member publishes at its own SFU and listens at the other's under a hash",
            [
                Sfu::new(CALL, "RM_a", "ND_a")
                    .joins("08:30:00", ALICE, 0)
                    .joins("08:30:20", HASH, 1)
                    .leaves("08:35:00", ALICE, ITSELF)
                    .leaves("08:35:01", HASH, ITSELF),
                alone(CALL, "RM_b", "ND_b", BOB),
            ],
        )
        .never_proves("different-sfu", ""),
        history(
            "the log begins after another member has joined",
            [
                Sfu::new(CALL, "RM_a", "ND_a").joins("08:30:00", ALICE, 1).leaves("08:35:00", ALICE, ITSELF),
                alone(CALL, "RM_b", "ND_b", BOB),
            ],
        )
        .never_proves("different-sfu", ""),
        history(
            "an SFU keeps the session of a client that has lost its network",
            [
                Sfu::new(CALL, "RM_a", "ND_a")
                    .joins("08:20:00", ALICE, 0)
                    .leaves("08:30:40", ALICE, "PEER_CONNECTION_DISCONNECTED"),
                alone(CALL, "RM_b", "ND_b", BOB),
            ],
        )
        .never_proves("different-sfu", ""),
        history(
            "a cluster makes the room anew at another node",
            [
                Sfu::new(CALL, "RM_a", "ND_a").joins("08:20:00", ALICE, 0).leaves("08:29:00", ALICE, ITSELF),
                alone(CALL, "RM_b", "ND_b", BOB),
            ],
        )
        .never_proves("different-sfu", "")
        .never_refutes("different-sfu", ""),
        History::new("an SFU was killed in a call and started again")
            .file(
                "livekit.log",
                Sfu::new(CALL, "RM_a", "ND_a")
                    .joins("08:20:00", ALICE, 0)
                    .restarts("08:29:00", "RM_b")
                    .joins("08:30:00", BOB, 0)
                    .leaves("08:40:00", BOB, ITSELF)
                    .log,
            )
            .never_proves("different-sfu", ""),
        History::new("the log of one SFU alone, at which a member waits")
            .file("livekit.log", alone(CALL, "RM_a", "ND_a", ALICE).log)
            .never_proves("different-sfu", "")
            .never_refutes("different-sfu", "")
            .exits(&[2]),
        one_room("both members are at one SFU and publish there", true).refutes("different-sfu", CALL),
        one_room("one of two members at an SFU publishes at another", false).never_refutes("different-sfu", ""),
        history(
            "two members find one another after a minute at two SFUs",
            [
                Sfu::new(CALL, "RM_a", "ND_a").joins("08:30:00", ALICE, 0).leaves("08:31:00", ALICE, ITSELF),
                Sfu::new(CALL, "RM_b", "ND_b")
                    .joins("08:30:00", BOB, 0)
                    .joins("08:31:00", ALICE, 1)
                    .publishes("08:31:10", ALICE)
                    .publishes("08:31:11", BOB)
                    .leaves("08:36:00", BOB, ITSELF),
            ],
        )
        .never_proves("different-sfu", "")
        .never_refutes("different-sfu", ""),
    ]
}
