//! Latency as Prometheus gives it for a range: context for KE-4, never proof. On a small server the p99 of a minute is
//! its slowest request, whatever that was.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::Value;

/// Bytes that are read at most.
const BYTES_MAX: u64 = 32 << 20;

/// A series: minute since the epoch to the highest value in it, in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latency {
    /// The artefact's name.
    pub name: String,
    /// The highest value of any series in each minute.
    pub seconds: BTreeMap<i64, f64>,
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
        for point in series.iter().filter_map(|series| series.get("values")?.as_array()).flatten() {
            let at = point.get(0).and_then(Value::as_f64);
            let value = point.get(1).and_then(Value::as_str).and_then(|value| value.parse::<f64>().ok());
            if let (Some(at), Some(value)) = (at, value.filter(|value| value.is_finite())) {
                let minute = (at / 60.0).floor() as i64;
                let highest = latency.seconds.entry(minute).or_insert(value);
                *highest = highest.max(value);
            }
        }
        Ok(latency)
    }
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
}
