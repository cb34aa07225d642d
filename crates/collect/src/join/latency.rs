//! How many requests a minute had and how long they took: context for KE-4, never proof.

use std::collections::{BTreeMap, BTreeSet};

use crypto_diag_server_log::Route;
use crypto_diag_server_log::latency::{ByRoute, Durations};
use serde_json::{Value, json};

use crate::scan::latency::Sample;

/// Minutes that are kept at most: a week.
pub const MINUTES_MAX: usize = 7 * 24 * 60;

/// Requests by minute and route.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    minutes: BTreeMap<i64, ByRoute>,
    /// Requests of minutes beyond [`MINUTES_MAX`].
    pub not_counted: u64,
}

impl Latency {
    pub fn add(&mut self, samples: &[Sample]) {
        for sample in samples {
            if self.minutes.len() >= MINUTES_MAX && !self.minutes.contains_key(&sample.minute) {
                self.not_counted += 1;
                continue;
            }
            self.minutes.entry(sample.minute).or_default().add(sample.route, sample.ms);
        }
    }

    /// Adds those of another log.
    pub fn merge(&mut self, other: Latency) {
        self.not_counted += other.not_counted;
        for (at, row) in other.minutes {
            if self.minutes.len() >= MINUTES_MAX && !self.minutes.contains_key(&at) {
                self.not_counted += row.all().count();
                continue;
            }
            self.minutes.entry(at).or_default().merge(row);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.minutes.is_empty()
    }

    /// As Prometheus answers a range query, so that whoever reads one reads this: seconds by quantile, of all requests and by route. Counts
    /// stand beside, where such a reader does not look.
    pub fn to_json(&self) -> Value {
        let all: BTreeMap<i64, Durations> = self.minutes.iter().map(|(minute, row)| (*minute, row.all())).collect();
        let minutes = |all: &BTreeMap<i64, Durations>, value: &dyn Fn(&Durations) -> Value| -> Vec<Value> {
            all.iter().map(|(minute, row)| json!([minute * 60, value(row)])).collect()
        };
        let series = |all: &BTreeMap<i64, Durations>, labels: &Value| -> Vec<Value> {
            let of = |(name, share): &(&str, f64)| {
                let seconds = |row: &Durations| json!(format!("{:.3}", f64::from(row.quantile(*share)) / 1000.0));
                let mut metric = json!({"__name__": "synapse_request_seconds", "quantile": name});
                if let Some(route) = labels.as_str() {
                    metric["route"] = route.into();
                }
                json!({"metric": metric, "values": minutes(all, &seconds)})
            };
            [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)].iter().map(of).collect()
        };
        let routes: BTreeSet<Route> =
            self.minutes.values().flat_map(|row| row.routes().map(|(route, _)| route).collect::<Vec<_>>()).collect();
        let mut result = series(&all, &Value::Null);
        for route in routes {
            let of_route = |(minute, row): (&i64, &ByRoute)| {
                let found = row.routes().find(|(other, _)| *other == route)?;
                Some((*minute, found.1.clone()))
            };
            let of_route: BTreeMap<i64, Durations> = self.minutes.iter().filter_map(of_route).collect();
            result.extend(series(&of_route, &route.name().into()));
        }
        json!({
            "status": "success",
            "data": {"resultType": "matrix", "result": result},
            "cryptoDiag": {
                "requests": minutes(&all, &|row| row.count().into()),
                "without": "every form of /sync",
                "notCounted": self.not_counted,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_requests_and_triage_reads_them() {
        let mut latency = Latency::default();
        let samples: Vec<Sample> = (1..=100)
            .map(|ms| Sample {
                minute: 29_923_715,
                ms,
                route: if ms > 90 { Route::DelayedEvent } else { Route::Other },
            })
            .collect();
        latency.add(&samples);
        let json = latency.to_json();
        let value = |series: usize| json["data"]["result"][series]["values"][0][1].as_str().unwrap().to_owned();
        assert_eq!((value(0), value(1), value(2)), ("0.050".to_owned(), "0.095".to_owned(), "0.099".to_owned()));
        assert_eq!(json["cryptoDiag"]["requests"][0][1], 100);
        let text = json.to_string();
        let kind = crypto_diag_triage::artefact::ArtefactKind::guess("latency.json", text.as_bytes());
        assert_eq!(kind, crypto_diag_triage::artefact::ArtefactKind::Latency);
        let read = crypto_diag_triage::latency::Latency::read("latency.json", text.as_bytes()).unwrap();
        assert_eq!(read.seconds, [(29_923_715, 0.099)].into());
        assert_eq!(read.routes[&Route::DelayedEvent], [(29_923_715, 0.1)].into());
        assert_eq!(read.routes[&Route::Other], [(29_923_715, 0.09)].into());
    }
}
