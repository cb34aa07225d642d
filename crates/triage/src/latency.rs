//! How quick the server was, minute by minute and by route, as a log or Prometheus says: context for KE-4, never proof. On a small server
//! the p99 of a minute is its slowest request, whatever that was.

use std::collections::BTreeMap;
use std::io::Read;

use serde::Serialize;
use serde_json::Value;

use crate::bundle::Bundle;
use crate::synapse_log::{ByRoute, Durations, Route};

/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;

/// Bytes that are read at most.
const BYTES_MAX: u64 = 32 << 20;

/// The highest value in each minute since the epoch, in seconds.
pub type Seconds = BTreeMap<i64, f64>;

/// What the series of an answer say. Those of `/sync` in any form are left out: it waits for news, and its time says nothing of the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latency {
    /// The artefact's name.
    pub name: String,
    /// The series that name no route; where each names one, the highest of all of them.
    pub seconds: Seconds,
    /// The series that name a route, by the labels `route` or `servlet`.
    pub routes: BTreeMap<Route, Seconds>,
}

impl Latency {
    /// Reads the answer to a range query.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn read(name: &str, input: impl Read) -> Result<Latency, String> {
        let value: Value =
            serde_json::from_reader(input.take(BYTES_MAX)).map_err(|error| format!("no JSON: {error}"))?;
        let series = value
            .get("data")
            .and_then(|data| data.get("result"))
            .and_then(Value::as_array)
            .ok_or("no data.result, as Prometheus gives it")?;
        let mut latency = Latency { name: name.to_owned(), ..Latency::default() };
        for series in series {
            let Some(points) = series.get("values").and_then(Value::as_array) else { continue };
            let label = |name: &str| series.get("metric")?.get(name)?.as_str();
            let into = match label("route").or_else(|| label("servlet")).map(Route::of_label) {
                Some(Route::Sync) => continue,
                Some(route) => latency.routes.entry(route).or_default(),
                None => &mut latency.seconds,
            };
            for point in points {
                let at = point.get(0).and_then(Value::as_f64);
                let value = point.get(1).and_then(Value::as_str).and_then(|value| value.parse::<f64>().ok());
                if let (Some(at), Some(value)) = (at, value.filter(|value| value.is_finite())) {
                    raise(into, (at / 60.0).floor() as i64, value);
                }
            }
        }
        if latency.seconds.is_empty() {
            for (minute, value) in latency.routes.values().flatten() {
                raise(&mut latency.seconds, *minute, *value);
            }
        }
        Ok(latency)
    }
}

/// One minute.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MinuteOfAnswer {
    /// Its start, in milliseconds since the epoch by the server's clock.
    pub at: i64,
    /// Half of the requests took this long at most, in milliseconds; null where the artefact does not say.
    pub median_ms: Option<f64>,
    /// All but one of a hundred took this long at most; of fewer than a hundred it is the longest.
    pub p99_ms: f64,
    /// Requests; null where the artefact does not say.
    pub requests: Option<u64>,
}

impl MinuteOfAnswer {
    fn of(minute: i64, row: &Durations) -> MinuteOfAnswer {
        MinuteOfAnswer {
            at: minute.saturating_mul(MINUTE_MS),
            median_ms: Some(f64::from(row.quantile(0.5))),
            p99_ms: f64::from(row.quantile(0.99)),
            requests: Some(row.count()),
        }
    }

    /// Its end, by the same clock.
    pub(crate) fn end(&self) -> i64 {
        self.at.saturating_add(MINUTE_MS)
    }

    /// Whether any of it lies between two times.
    pub(crate) fn touches(&self, from: i64, to: i64) -> bool {
        self.at <= to && self.end() > from
    }
}

/// What one artefact says. Requests that wait for news are left out.
pub(crate) struct Pace<'b> {
    /// The artefact's name.
    pub name: &'b str,
    /// The log, by index; `None` if it is Prometheus's answer.
    pub log: Option<usize>,
    /// The minutes of all routes together.
    pub all: Vec<MinuteOfAnswer>,
    /// Those of each route.
    pub routes: Vec<(Route, Vec<MinuteOfAnswer>)>,
}

/// What each log and each answer of Prometheus's says.
pub(crate) fn paces(bundle: &Bundle) -> impl Iterator<Item = Pace<'_>> {
    with_logs(bundle, true)
}

/// The same of those artefacts that say most: a log in a bundle may be a slice, beside which `collect` puts what the whole log says.
pub(crate) fn widest(bundle: &Bundle) -> impl Iterator<Item = Pace<'_>> {
    with_logs(bundle, bundle.latency.is_empty())
}

fn with_logs(bundle: &Bundle, with_logs: bool) -> impl Iterator<Item = Pace<'_>> {
    let logs = bundle.logs.iter().enumerate().filter(move |_| with_logs).map(|(index, log)| {
        let mut routes: BTreeMap<Route, Vec<MinuteOfAnswer>> = BTreeMap::new();
        for (minute, row) in &log.latency {
            row.routes()
                .for_each(|(route, row)| routes.entry(route).or_default().push(MinuteOfAnswer::of(*minute, row)));
        }
        let all = |(minute, row): (&i64, &ByRoute)| MinuteOfAnswer::of(*minute, &row.all());
        Pace {
            name: &log.name,
            log: Some(index),
            all: log.latency.iter().map(all).collect(),
            routes: routes.into_iter().collect(),
        }
    });
    let minutes = |seconds: &Seconds| -> Vec<MinuteOfAnswer> {
        let minute = |(minute, seconds): (&i64, &f64)| MinuteOfAnswer {
            at: minute.saturating_mul(MINUTE_MS),
            median_ms: None,
            p99_ms: (seconds * 1_000.0).round(),
            requests: None,
        };
        seconds.iter().map(minute).collect()
    };
    let series = bundle.latency.iter().map(move |series| Pace {
        name: &series.name,
        log: None,
        all: minutes(&series.seconds),
        routes: series.routes.iter().map(|(route, seconds)| (*route, minutes(seconds))).collect(),
    });
    logs.chain(series)
}

fn raise(seconds: &mut Seconds, minute: i64, value: f64) {
    let highest = seconds.entry(minute).or_insert(value);
    *highest = highest.max(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_query_gives_the_worst_of_each_minute() {
        let text = r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{},"values":[[60,"0.5"],[75,"0.7"],[120,"NaN"]]},{"metric":{},"values":[[61,"0.1"]]}]}}"#;
        let latency = Latency::read("p99.json", text.as_bytes()).unwrap();
        assert_eq!(latency.seconds, [(1, 0.7)].into());
        assert!(Latency::read("x", &b"{}"[..]).is_err());
    }

    #[test]
    fn series_of_a_route_are_kept_apart_and_a_sync_is_left_out() {
        let text = r#"{"data":{"result":[
            {"metric":{"servlet":"RestartDelayedEventServlet"},"values":[[60,"0.5"]]},
            {"metric":{"servlet":"UpdateDelayedEventServlet"},"values":[[60,"2.5"]]},
            {"metric":{"servlet":"SyncRestServlet"},"values":[[60,"30"]]},
            {"metric":{"servlet":"KeyUploadServlet"},"values":[[60,"0.25"],[120,"3"]]}]}}"#;
        let latency = Latency::read("p99.json", text.as_bytes()).unwrap();
        assert_eq!(latency.routes[&Route::DelayedEvent], [(1, 2.5)].into());
        assert_eq!(latency.routes.len(), 2);
        assert_eq!(latency.seconds, [(1, 2.5), (2, 3.0)].into(), "no series is of all routes");
        let with_all = text.replacen(
            "{\"metric\":{\"servlet\":\"Sync",
            "{\"metric\":{},\"values\":[[60,\"0.1\"]]},{\"metric\":{\"servlet\":\"Sync",
            1,
        );
        assert_eq!(Latency::read("p99.json", with_all.as_bytes()).unwrap().seconds, [(1, 0.1)].into());
    }
}
