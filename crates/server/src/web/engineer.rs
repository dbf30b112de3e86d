//! The integration engineer's pages: feeds, messages that were set aside, and their text after break-glass.

use alongside_app::accounts::SecretToken;
use alongside_app::pages::{FeedCard, Feeds, HourOf, MessagePage, RawPage, SentBack};
use alongside_app::{Desk, Failure};
use alongside_domain::access::Action;
use alongside_domain::id::MessageId;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::done::Done;
use super::forms::Posted;
use super::parts::Problems;
use super::routes::{Needs, Route, read, send};
use super::seat::Seat;
use super::templates::Frame;
use super::{Web, fill};

/// The box of the small chart, as its template says it.
const SPARK_WIDTH: f64 = 240.0;
const SPARK_HEIGHT: f64 = 60.0;
/// The room of one of its bars, of which 8 are drawn.
const SPARK_STEP: f64 = 10.0;

/// Where the integration engineer works.
pub(crate) fn routes() -> Vec<Route> {
    use Action::{Replay, SeeFeeds, SeeQuarantine, SeeRaw};
    use Needs::May;
    vec![
        read("/feeds", May(SeeFeeds), feeds),
        send("/feeds/{feed}/replay", May(Replay), replay_feed),
        read("/sent-back", May(SeeFeeds), sent_back),
        send("/sent-back/{sending}/again", May(Replay), send_again),
        send("/sent-back/{sending}/leave-out", May(Replay), leave_out),
        read("/quarantined/{message}", May(SeeQuarantine), message),
        send("/quarantined/{message}/replay", May(Replay), replay),
        read("/quarantined/{message}/raw", May(SeeRaw), raw),
        send("/quarantined/{message}/raw", May(SeeRaw), open_raw),
    ]
}

#[derive(Template)]
#[template(path = "engineer_feeds.html")]
struct FeedsPage<'a> {
    frame: Frame,
    page: &'a Feeds,
    feeds: Vec<(&'a FeedCard, Option<Spark>)>,
}

#[derive(Template)]
#[template(path = "engineer_sent_back.html")]
struct SentBackPage {
    frame: Frame,
    page: SentBack,
}

#[derive(Template)]
#[template(path = "engineer_message.html")]
struct OneMessage {
    frame: Frame,
    page: MessagePage,
}

#[derive(Template)]
#[template(path = "engineer_raw.html")]
struct Raw {
    frame: Frame,
    problems: Problems,
    message: String,
    once: String,
    reason: String,
    page: RawPage,
}

/// A small chart: a bar for each hour as left edge, upper edge and height, and a line of what is usual.
struct Spark {
    bars: Vec<(f64, f64, f64)>,
    usual: String,
}

impl Spark {
    /// Drawn for a feed of messages; a list has none.
    fn of(hours: &[HourOf]) -> Option<Self> {
        let value = |hour: &HourOf| f64::from(u32::try_from(hour.messages).unwrap_or(u32::MAX));
        let most = hours.iter().flat_map(|hour| [value(hour), hour.usual.unwrap_or(0.0)]).fold(1.0, f64::max);
        let height = |value: f64| (value / most * (SPARK_HEIGHT - 4.0) * 10.0).round() / 10.0;
        let mut left = SPARK_WIDTH - SPARK_STEP * f64::from(u32::try_from(hours.len()).unwrap_or(0));
        let (mut bars, mut usual) = (Vec::new(), Vec::new());
        for hour in hours {
            let tall = height(value(hour));
            bars.push((left + 1.0, SPARK_HEIGHT - tall, tall));
            if let Some(mean) = hour.usual {
                usual.push(format!("{},{}", left + SPARK_STEP / 2.0, SPARK_HEIGHT - height(mean)));
            }
            left += SPARK_STEP;
        }
        (!hours.is_empty()).then(|| Self { bars, usual: usual.join(" ") })
    }
}

fn dress_feeds(page: &Feeds, frame: Frame) -> Result<String, Failure> {
    let feeds = page.feeds.iter().map(|feed| (feed, Spark::of(&feed.hours))).collect();
    fill(&FeedsPage { frame, page, feeds })
}

async fn feeds(State(web): State<Web>, seat: Seat) -> Response {
    web.show(seat, Desk::feeds_page, |page, frame| dress_feeds(&page, frame)).await
}

fn id_of(text: &str) -> Result<MessageId, Failure> {
    text.parse().map_err(|_| Failure::NotFound)
}

fn set_aside(frame: Frame) -> Frame {
    frame.under(&[("/quarantined", "Messages set aside")])
}

async fn message(State(web): State<Web>, seat: Seat, Path(message): Path<String>) -> Response {
    web.show(seat, move |desk| desk.message_page(id_of(&message)?), |page, frame| fill(&OneMessage { frame: set_aside(frame), page })).await
}

async fn replay(State(web): State<Web>, seat: Seat, Path(message): Path<String>, Posted(_): Posted) -> Response {
    use alongside_app::intake::Fate;
    let work = move |desk: &Desk| {
        let id = id_of(&message)?;
        let done = match desk.replay_message(id)? {
            Fate::Quarantined | Fate::Refused => Done::StillSetAside,
            Fate::Applied | Fate::Discarded | Fate::Duplicate => Done::Replayed,
        };
        Ok((format!("/quarantined/{id}"), done))
    };
    web.carry_out(seat, work, |_, problems, _| Err(Failure::Invalid(problems))).await
}

async fn replay_feed(State(web): State<Web>, seat: Seat, Path(feed): Path<String>, Posted(_): Posted) -> Response {
    let work = move |desk: &Desk| desk.replay_feed(&feed).map(|_| ("/quarantined".to_owned(), Done::FeedReplayed));
    web.carry_out(seat, work, |_, problems, _| Err(Failure::Invalid(problems))).await
}

async fn sent_back(State(web): State<Web>, seat: Seat) -> Response {
    let dress = |page, frame: Frame| fill(&SentBackPage { frame: frame.under(&[("/feeds", "Feeds")]), page });
    web.show(seat, Desk::sent_back_page, dress).await
}

async fn send_again(State(web): State<Web>, seat: Seat, Path(sending): Path<String>, Posted(_): Posted) -> Response {
    settle(web, seat, sending, true).await
}

async fn leave_out(State(web): State<Web>, seat: Seat, Path(sending): Path<String>, Posted(_): Posted) -> Response {
    settle(web, seat, sending, false).await
}

async fn settle(web: Web, seat: Seat, sending: String, again: bool) -> Response {
    let work = move |desk: &Desk| {
        desk.settle_sending(sending.parse().map_err(|_| Failure::NotFound)?, again)?;
        Ok(("/sent-back".to_owned(), if again { Done::SentAgain } else { Done::LeftOut }))
    };
    web.carry_out(seat, work, |_, problems, _| Err(Failure::Invalid(problems))).await
}

/// The page of a message's text, or of the form that opens it.
fn raw_page(desk: &Desk, message: &str, problems: Problems, reason: String, frame: Frame) -> Result<Raw, Failure> {
    let id = id_of(message)?;
    let page = desk.text_page(id)?;
    let once = SecretToken::new(desk.app().world.secret()).reveal().to_owned();
    Ok(Raw { frame: set_aside(frame), problems, message: id.to_string(), once, reason, page })
}

async fn raw(State(web): State<Web>, seat: Seat, Path(message): Path<String>) -> Response {
    let frame = Frame::of(&web, &seat);
    let ask = move |desk: &Desk| raw_page(desk, &message, Problems::default(), String::new(), frame);
    web.show(seat, ask, |page, _| fill(&page)).await
}

async fn open_raw(State(web): State<Web>, seat: Seat, Path(message): Path<String>, Posted(fields): Posted) -> Response {
    let (reason, again_for) = (fields.text("reason").to_owned(), message.clone());
    let work = move |desk: &Desk| {
        let id = id_of(&message)?;
        desk.open_text(id, fields.text("reason"), fields.text("once"))?;
        Ok((format!("/quarantined/{id}/raw"), Done::TextOpened))
    };
    let again = move |desk: &Desk, problems, frame| {
        let page = raw_page(desk, &again_for, Problems::new(problems), reason, frame)?;
        fill(&page).map_err(|error| Failure::Broken(format!("a template: {error}")))
    };
    web.carry_out(seat, work, again).await
}

/// Every template of this room with samples.
#[cfg(test)]
pub(crate) fn samples(frame: &Frame) -> Vec<(String, String)> {
    use super::samples::NAME;
    use alongside_app::Invalid;
    use alongside_app::pages::{StoppedLine, TextLine};
    let hour = |messages, usual: Option<f64>| HourOf { label: "7am".into(), messages, usual, usual_words: "20".into() };
    let card = |key: &str, hours| FeedCard {
        key: key.into(),
        sender: "Cerner Millennium".into(),
        site: "Chelsea and Westminster".into(),
        state: "Quieter than usual".into(),
        tone: "soon",
        heard: "Last heard today at 8:28am".into(),
        last_hour: "4 messages from 7am to 8am".into(),
        usual: "usually 20 at this hour on a Monday".into(),
        set_aside: "40 messages set aside".into(),
        any_set_aside: true,
        merges: "85 merges".into(),
        errors: "4 of 464 in the last 24 hours".into(),
        sends: "2 messages wait, 1 of them stopped, the oldest since today at 8:02am".into(),
        any_stopped: true,
        certificates: "good until 3 March 2025".into(),
        certificates_soon: true,
        hours,
        description: "464 messages in 24 hours.".into(),
    };
    let page =
        Feeds { now: "6 January 2025, 8:30am".into(), feeds: vec![card("a", vec![hour(0, None), hour(4, Some(20.0))]), card("b", vec![])] };
    let message = |is_set_aside| {
        let message = super::samples::quarantined(true).messages.remove(0);
        let page = MessagePage { message, is_set_aside, standing: "It is set aside." };
        fill(&OneMessage { frame: frame.clone(), page }).unwrap_or_default()
    };
    let raw = |problems, page| {
        let (message, reason) = ("msg_00000000000000000000000000000001".into(), NAME.into());
        fill(&Raw { frame: frame.clone(), problems: Problems::new(problems), message, once: "o".into(), reason, page }).unwrap_or_default()
    };
    let lines = vec![TextLine { segment: "PID".into(), rest: NAME.into() }];
    let stopped = StoppedLine {
        id: 17,
        control_id: "AL00000017".into(),
        feed: "CareFlow at North Middlesex".into(),
        why: "The record refused it".into(),
        advice: "Mend the cause there, then send it again.",
        receipt: "4711".into(),
        since: "today at 8:02am".into(),
    };
    let sent_back = |lines| fill(&SentBackPage { frame: frame.clone(), page: SentBack { lines } }).unwrap_or_default();
    vec![
        ("sent back".into(), sent_back(vec![stopped])),
        ("sent back, nothing stopped".into(), sent_back(Vec::new())),
        ("feeds".into(), dress_feeds(&page, frame.clone()).unwrap_or_default()),
        ("message".into(), message(true)),
        ("message read".into(), message(false)),
        ("text, closed".into(), raw(vec![Invalid::new("reason", "Enter a reason")], RawPage::Closed(20))),
        ("text, open".into(), raw(Vec::new(), RawPage::Open { until: "6 January 2025, 9:30am".into(), lines })),
    ]
}
