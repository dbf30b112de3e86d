//! What Prometheus and its like read, at an address of its own: how the feeds are doing. Nothing in it is about anybody.

use std::fmt::Write as _;

use alongside_app::App;
use alongside_app::metrics::FeedMetrics;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The text format of Prometheus, version 0.0.4.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The one page.
pub(crate) fn router(app: App) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(app)
}

async fn metrics(State(app): State<App>) -> Response {
    match tokio::task::spawn_blocking(move || app.feed_metrics()).await {
        Ok(Ok(feeds)) => ([(header::CONTENT_TYPE, FORMAT)], text(&feeds)).into_response(),
        Ok(Err(failure)) => {
            tracing::error!(%failure, "metrics could not be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A family of numbers: name, kind, help.
fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing into a text does not fail.
    let _written = write!(text, "# HELP alongside_{name} {help}\n# TYPE alongside_{name} {kind}\n");
}

fn line(text: &mut String, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
    let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
    let _written = writeln!(text, "alongside_{name}{{{}}} {value}", labels.join(","));
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn text(feeds: &[FeedMetrics]) -> String {
    let mut text = String::new();
    family(&mut text, "build_info", "gauge", "The version of the program.");
    line(&mut text, "build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    family(&mut text, "feed_messages_total", "counter", "Messages since the program began, by what became of them.");
    for feed in feeds {
        for (fate, count) in &feed.messages {
            line(&mut text, "feed_messages_total", &[("feed", &feed.feed), ("fate", fate.code())], count);
        }
    }
    let mut gauge = |name: &str, help: &str, value: &dyn Fn(&FeedMetrics) -> Option<i64>| {
        family(&mut text, name, "gauge", help);
        for feed in feeds {
            if let Some(value) = value(feed) {
                line(&mut text, name, &[("feed", &feed.feed)], value);
            }
        }
    };
    gauge("feed_heard_timestamp_seconds", "When the feed was last heard.", &|feed| feed.heard_at.map(|at| at.as_second()));
    gauge("feed_silent", "Whether its silence is worth a look, by what is usual at this hour.", &|feed| Some(i64::from(feed.is_silent)));
    gauge("feed_set_aside", "Messages that are set aside now.", &|feed| i64::try_from(feed.set_aside).ok());
    gauge("feed_problems_rising", "Whether more of the last hours' messages were refused or set aside than before.", &|feed| {
        Some(i64::from(feed.problems_rise))
    });
    gauge("feed_merge_storm", "Whether there were many more merges in the last day than usual.", &|feed| {
        Some(i64::from(feed.is_merge_storm))
    });
    gauge("feed_sending", "Messages that wait to be sent back to the record, the stopped ones included.", &|feed| {
        feed.sending.and_then(|(all, _)| i64::try_from(all).ok())
    });
    gauge("feed_sending_stopped", "Messages to the record that wait for a person.", &|feed| {
        feed.sending.and_then(|(_, stopped)| i64::try_from(stopped).ok())
    });
    gauge("feed_certificates_end_timestamp_seconds", "The end of the first of its certificates to end.", &|feed| {
        feed.certificates_end_on.and_then(seconds)
    });
    text
}

/// The beginning of a day: so that an alarm comes rather a day too early.
fn seconds(day: Date) -> Option<i64> {
    day.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alongside_app::intake::Fate;
    use jiff::Timestamp;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn each_family_stands_once_with_its_help_before_its_numbers() {
        let feed = |feed: &str, heard_at, certificates_end_on| FeedMetrics {
            feed: feed.into(),
            messages: BTreeMap::from([(Fate::Applied, 3), (Fate::Quarantined, 0)]),
            heard_at,
            is_silent: true,
            set_aside: 2,
            problems_rise: true,
            is_merge_storm: false,
            sending: heard_at.map(|_| (3, 1)),
            certificates_end_on,
        };
        let told = text(&[feed("a", Timestamp::from_second(90).ok(), Some(date(1970, 1, 2))), feed("b\"\\", None, None)]);
        for expected in [
            "# TYPE alongside_feed_messages_total counter\nalongside_feed_messages_total{feed=\"a\",fate=\"applied\"} 3\n",
            "alongside_feed_messages_total{feed=\"b\\\"\\\\\",fate=\"quarantined\"} 0\n",
            "# TYPE alongside_feed_heard_timestamp_seconds gauge\nalongside_feed_heard_timestamp_seconds{feed=\"a\"} 90\n#",
            "alongside_feed_silent{feed=\"a\"} 1\n",
            "alongside_feed_set_aside{feed=\"a\"} 2\n",
            "alongside_feed_problems_rising{feed=\"a\"} 1\n",
            "alongside_feed_merge_storm{feed=\"a\"} 0\n",
            "# TYPE alongside_feed_sending_stopped gauge\nalongside_feed_sending_stopped{feed=\"a\"} 1\n#",
            "alongside_feed_certificates_end_timestamp_seconds{feed=\"a\"} 86400\n",
        ] {
            assert!(told.contains(expected), "{expected} is not in\n{told}");
        }
        assert_eq!(told.matches("# TYPE").count(), told.lines().filter(|line| line.starts_with("# HELP")).count());
    }
}
