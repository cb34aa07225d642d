//! A database server that stops answering, at every stage of a run, must not hold the run.
//!
//! The stand-in speaks as much of PostgreSQL's protocol (version 3, "Message Flow" in its manual) as the questions need,
//! answers so many messages, and then says nothing more while its socket stays open.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crypto_diag_collect::Ids;
use crypto_diag_collect::database::{Options, ask};

/// What a start-up message says that only asks for a statement to be ended, on a connection of its own.
const CANCEL_REQUEST: u32 = 80_877_102;

/// Type numbers of `pg_type`.
const BOOL: u32 = 16;
const INT8: u32 = 20;
const TEXT: u32 = 25;

/// A server on loopback that answers so many messages of a connection that asks.
struct StandIn {
    url: String,
    /// Gets one word for each connection that asked and whose other side was closed.
    closed: Receiver<()>,
    /// Gets one word for each connection that asked and went silent.
    silent: Receiver<()>,
}

/// What a question is answered with.
#[derive(Clone, Copy)]
enum Answer {
    /// Rows, as far as the questions need some.
    Rows,
    /// The refusal of a server that quotes what it was given.
    Refusal,
}

fn stand_in(answers: usize, answer: Answer) -> StandIn {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("postgresql://u:hush@{}/synapse", listener.local_addr().expect("an address"));
    let (says_closed, closed) = channel();
    let (says_silent, silent) = channel();
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let (says_closed, says_silent) = (says_closed.clone(), says_silent.clone());
            thread::spawn(move || {
                // The start-up message has no letter.
                let Ok(start_up) = body(&socket) else { return };
                if start_up.starts_with(&CANCEL_REQUEST.to_be_bytes()) {
                    return;
                }
                let _ = converse(&socket, answers, answer);
                let _ = says_silent.send(());
                // Whatever is still said is not answered; the end of it is awaited.
                let _ = std::io::copy(&mut &socket, &mut std::io::sink());
                let _ = says_closed.send(());
            });
        }
    });
    StandIn { url, closed, silent }
}

fn converse(mut socket: &TcpStream, answers: usize, answer: Answer) -> std::io::Result<()> {
    let mut left = answers;
    let mut may_answer = || {
        let may = left > 0;
        left = left.saturating_sub(1);
        may.then_some(()).ok_or(std::io::Error::other("silent from here on"))
    };
    may_answer()?;
    socket.write_all(&[message(b'R', &0u32.to_be_bytes()), ready()].concat())?;
    loop {
        let mut letter = [0];
        socket.read_exact(&mut letter)?;
        let text = body(socket)?;
        match letter[0] {
            b'Q' => {
                may_answer()?;
                socket.write_all(&[message(b'C', b"DONE\0"), ready()].concat())?;
            }
            // One question is Parse, Bind, Describe, Execute, Sync, sent together: Parse has the statement.
            b'P' => {
                may_answer()?;
                let sql = String::from_utf8_lossy(&text).into_owned();
                let mut said = vec![message(b'1', b""), message(b'2', b"")];
                match answer {
                    Answer::Rows => said.extend(rows(&sql)),
                    // The connection works; only what is asked in the snapshot is refused.
                    Answer::Refusal if sql.contains("server_version") || sql.contains("recovery") => {
                        said.extend(rows(&sql));
                    }
                    Answer::Refusal => said = vec![message(b'E', b"SERROR\0C22P02\0Mnot a number: hush\0\0")],
                }
                said.push(ready());
                socket.write_all(&said.concat())?;
            }
            _ => {}
        }
    }
}

/// The rest of a message: its length, which counts itself, and its content.
fn body(mut socket: &TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let mut content = vec![0; u32::from_be_bytes(length) as usize - 4];
    socket.read_exact(&mut content)?;
    Ok(content)
}

fn message(letter: u8, content: &[u8]) -> Vec<u8> {
    let mut message = vec![letter];
    message.extend((content.len() as u32 + 4).to_be_bytes());
    message.extend(content);
    message
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

/// The columns and rows of an answer, binary where the client reads numbers.
fn rows(sql: &str) -> Vec<Vec<u8>> {
    let (types, rows): (&[u32], Vec<Vec<&[u8]>>) = if sql.contains("server_version") {
        (&[TEXT], vec![vec![b"17.0"]])
    } else if sql.contains("pg_is_in_recovery") {
        (&[INT8, BOOL], vec![vec![&[0, 0, 1, 0, 0, 0, 0, 0], &[0]]])
    } else if sql.contains("information_schema") {
        let columns = ["name", "user_id", "device_id", "stream_id", "message_json", "last_seen"];
        let mut rows: Vec<Vec<&[u8]>> = Vec::new();
        for table in ["users", "devices", "device_inbox"] {
            rows.extend(columns.map(|column| vec![table.as_bytes(), column.as_bytes()]));
        }
        (&[TEXT, TEXT], rows)
    } else if sql.contains("users") {
        (&[TEXT], vec![vec![b"@alice:h"]])
    } else {
        (&[], vec![])
    };
    let mut described = (types.len() as u16).to_be_bytes().to_vec();
    for number in types {
        described.extend(b"c\0");
        described.extend([0; 6]);
        described.extend(number.to_be_bytes());
        described.extend([0, 8, 0xff, 0xff, 0xff, 0xff, 0, 1]);
    }
    let mut said = vec![message(b'T', &described)];
    for row in rows {
        let mut values = (row.len() as u16).to_be_bytes().to_vec();
        for value in row {
            values.extend((value.len() as u32).to_be_bytes());
            values.extend(value);
        }
        said.push(message(b'D', &values));
    }
    said.push(message(b'C', b"SELECT 1\0"));
    said
}

fn ids() -> Ids {
    Ids { users: ["@alice:h".to_owned()].into(), ..Ids::default() }
}

/// What a run says: its error, or what was refused, as one text.
fn run(url: &str, options: &Options, cancel: &AtomicBool) -> (String, usize) {
    match ask(&url.into(), None, &ids(), options, cancel) {
        Ok(answers) => {
            let refused = answers.refused.iter().map(|refusal| format!("{}: {}\n", refusal.what, refusal.why));
            (refused.collect(), answers.queries.len())
        }
        Err(error) => (error.to_string(), 0),
    }
}

/// The same in a thread of its own, so that a run that never ends is a failure and no hang.
fn begun(url: &str, options: Options, cancel: Arc<AtomicBool>) -> Receiver<(String, usize)> {
    let (says, said) = channel();
    let url = url.to_owned();
    thread::spawn(move || says.send(run(&url, &options, &cancel)));
    said
}

/// What comes within a minute.
fn soon<T>(receiver: &Receiver<T>, what: &str) -> T {
    receiver.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|error| panic!("{what}: {error}"))
}

fn impatient() -> Options {
    let soon = Duration::from_millis(150);
    Options { statement_timeout: soon, silence_max: soon, samples_apart: Duration::ZERO, ..Options::default() }
}

#[test]
fn a_server_that_goes_silent_is_given_up_at_every_stage_and_its_socket_closed() {
    let patient = Options { samples_apart: Duration::ZERO, ..Options::default() };
    let whole = run(&stand_in(usize::MAX, Answer::Rows).url, &patient, &AtomicBool::new(false));
    assert!(!whole.0.contains("silent") && whole.1 > 0, "the stand-in is a database: {whole:?}");

    // Start-up, version, beginning, moment, and then questions of three messages each.
    for answers in 0..16 {
        let server = stand_in(answers, Answer::Rows);
        let (said, _) = soon(&begun(&server.url, impatient(), Arc::default()), "the run ends");
        assert!(said.contains("it went silent: no answer within 0."), "after {answers} messages: {said:?}");
        assert!(!said.contains("hush"), "{said}");
        soon(&server.closed, "the socket is closed");
    }
}

#[test]
fn the_first_signal_ends_a_run_that_waits_for_a_silent_server() {
    let never = Duration::from_secs(100_000);
    let options = Options { statement_timeout: never, silence_max: never, ..Options::default() };
    for answers in [0, 1, 2, 3, 5, 9] {
        let server = stand_in(answers, Answer::Rows);
        let cancel = Arc::new(AtomicBool::new(false));
        let asked = begun(&server.url, options.clone(), cancel.clone());
        soon(&server.silent, "the stand-in has gone silent");
        cancel.store(true, Ordering::Relaxed);
        let (said, _) = soon(&asked, "the run ends");
        assert!(said.contains("it was interrupted"), "after {answers} messages: {said:?}");
        soon(&server.closed, "the socket is closed");
    }
}

#[test]
fn what_a_server_says_of_its_refusal_is_not_repeated() {
    let server = stand_in(usize::MAX, Answer::Refusal);
    let (said, answered) = run(&server.url, &impatient(), &AtomicBool::new(false));
    assert_eq!(answered, 0);
    assert!(said.contains("it refused (SQLSTATE 22P02)") && !said.contains("hush"), "{said}");
}
