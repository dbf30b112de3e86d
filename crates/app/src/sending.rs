//! Back to the record: how an order goes on, in a message to whoever sent it, with a receipt.
//!
//! What is sent is what is told ([`alongside_domain::progress`]), version by version, queued in the transaction of the decision
//! that changed it. One is sent at a time, in their order for each person, under a control id of its own that never changes:
//! a record that recognises duplicates has each once, however often an answer is lost.

use alongside_domain::person::Identifier;
use alongside_domain::progress::{Progress, TaskStatus};
use alongside_domain::record::Record;
use alongside_domain::sending::{Answer, Next, Ordered, Parked, State, after};
use alongside_hl7v2::write::MessageBuilder;
use alongside_hl7v2::{Delimiters, Header};
use alongside_store::requests::{self, Request};
use alongside_store::sending::{self, Sending};
use alongside_store::{Tx, people};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::intake::load;
use crate::setup::Feed;
use crate::translate::{OrderSeen, Translation};
use crate::{App, Failure, london_time};

#[cfg(test)]
mod tests;

/// The system under which the numbers of orders in messages are kept.
const ORDER: &str = "order";
/// The longest number of an answer that is kept.
const RECEIPT_CHARACTERS_MAX: usize = 50;

/// What is kept of an order to answer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Order {
    kind: String,
    version: String,
    application: String,
    facility: String,
    code: String,
    system: String,
    value: String,
    authority: String,
    id_type: String,
    family: String,
    given: String,
    birth_date: Option<String>,
    nhs_number: Option<String>,
}

impl Order {
    fn of(seen: &OrderSeen, header: &Header, record: &Record) -> Self {
        let person = &record.person;
        Self {
            kind: seen.kind.clone(),
            version: header.version.clone(),
            application: header.sending_application.clone(),
            facility: header.sending_facility.clone(),
            code: seen.code.clone(),
            system: seen.identifier.system.clone(),
            value: seen.identifier.value.clone(),
            authority: seen.authority.0.clone(),
            id_type: seen.authority.1.clone(),
            family: person.family.clone().unwrap_or_default(),
            given: person.given.clone().unwrap_or_default(),
            birth_date: person.birth_date.map(|born| born.to_string()),
            nhs_number: person.nhs_number.map(|held| held.number.digits().to_owned()),
        }
    }

    fn ordered(&self) -> Ordered {
        Ordered {
            identifier: Identifier { system: self.system.clone(), value: self.value.clone() },
            birth_date: self.birth_date.as_deref().and_then(|born| born.parse().ok()),
            nhs_number: self.nhs_number.as_deref().and_then(|digits| digits.parse().ok()),
        }
    }
}

/// A message that is to be sent now.
#[derive(Clone, PartialEq, Eq)]
pub struct ToSend {
    /// Its number.
    pub position: i64,
    /// The message.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for ToSend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ToSend({})", self.position)
    }
}

impl App {
    /// Keeps a request with the first that is told of it.
    pub(crate) fn add_request(&self, tx: &mut Tx<'_>, request: &Request, record: &Record, at: Timestamp) -> Result<(), Failure> {
        let Some(trigger) = record.triggers.iter().find(|trigger| trigger.id == request.id) else { return Err(Failure::NotFound) };
        requests::add(tx, request)?;
        self.tell(tx, request.id, &request.client, 1, Progress::of(trigger, record), at)
    }

    /// Tells whoever asked how far each request about a person has come, where that has changed. Part of keeping any decision:
    /// so that no change is missed, however it came about.
    pub(crate) fn tell_requests(&self, tx: &mut Tx<'_>, record: &Record, at: Timestamp) -> Result<(), Failure> {
        for (id, client, number, before) in requests::standing(tx, record.person.id)? {
            let Some(trigger) = record.triggers.iter().find(|trigger| trigger.id == id) else { continue };
            let now = Progress::of(trigger, record);
            if now != before {
                self.tell(tx, id, &client, number + 1, now, at)?;
            }
        }
        Ok(())
    }

    fn tell(
        &self,
        tx: &mut Tx<'_>,
        id: alongside_domain::id::TriggerId,
        client: &str,
        number: u32,
        progress: Progress,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let position = requests::tell(tx, id, number, progress, at)?;
        if self.setup.feeds.get(client).is_some_and(|feed| feed.send.is_some()) {
            sending::queue(tx, position, id, client, at)?;
        }
        Ok(())
    }

    /// Notes an order that a message brought, where its sender is told how it goes on.
    pub(crate) fn note_order(
        &self,
        tx: &mut Tx<'_>,
        feed: &Feed,
        header: &Header,
        translation: &Translation,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let Some(seen) = translation.order.as_ref().filter(|_| feed.send.is_some()) else { return Ok(()) };
        if requests::by_number(tx, &feed.key, ORDER, &seen.number)?.is_some() {
            return Ok(());
        }
        let found = people::find(tx, &feed.site, std::slice::from_ref(&seen.identifier), None)?;
        let Some(&person) = found.first() else { return Ok(()) };
        let record = load(tx, person)?;
        let Some(trigger) = record.triggers.iter().find(|trigger| trigger.evidence.as_ref() == Some(&seen.number)) else { return Ok(()) };
        let body = serde_json::to_string(&Order::of(seen, header, &record)).map_err(|_| Failure::Broken("an order".into()))?;
        let request = Request {
            id: trigger.id,
            client: feed.key.clone(),
            site: feed.site.clone(),
            system: ORDER.to_owned(),
            value: seen.number.clone(),
            body,
            person,
        };
        self.add_request(tx, &request, &record, at)
    }

    /// What is to be sent next by a feed, if anything is due. Whatever is not about the person of its order any more is parked
    /// on the way.
    ///
    /// # Errors
    /// The store's.
    pub fn next_to_send(&self, feed: &Feed) -> Result<Option<ToSend>, Failure> {
        let now = self.world.now();
        if self.store.read(|tx| sending::next(tx, &feed.key, now))?.is_none() {
            return Ok(None);
        }
        let (app, feed) = (self.clone(), feed.clone());
        self.store.write(move |tx| {
            while let Some(due) = sending::next(tx, &feed.key, now)? {
                let request = requests::load(tx, due.request)?.ok_or(Failure::NotFound)?;
                let record = load(tx, due.person)?;
                let order: Order = serde_json::from_str(&request.body).map_err(|_| Failure::Broken("an order as it was kept".into()))?;
                let (ordered, looked_at) = (order.ordered(), due.parked == Some(Parked::OtherPerson));
                if ordered.is(&record.person) || (looked_at && ordered.has_number_of(&record.person)) {
                    let bytes = app.message(&feed, &due, &request, &order).into_bytes();
                    return Ok::<_, Failure>(Some(ToSend { position: due.position, bytes }));
                }
                sending::keep(tx, &parked(due, Parked::OtherPerson, now))?;
            }
            Ok(None)
        })
    }

    /// Notes what came of sending, with the number of the answer.
    ///
    /// # Errors
    /// The store's.
    pub fn note_sent(&self, position: i64, answer: Answer, receipt: Option<&str>) -> Result<(), Failure> {
        let receipt =
            receipt.map(|receipt| receipt.chars().filter(|one| !one.is_control()).take(RECEIPT_CHARACTERS_MAX).collect::<String>());
        let app = self.clone();
        self.store.write(move |tx| {
            let Some(due) = sending::load(tx, position)?.filter(|due| due.state == State::Waiting) else { return Ok(()) };
            let (now, tries) = (app.world.now(), due.tries + 1);
            let tried = Sending { tries, receipt: receipt.clone(), ..due };
            let stands = match after(answer, tries) {
                Next::Done => Sending { state: State::Sent, changed_at: now, ..tried },
                Next::Again(pause) => Sending { next_at: now + pause, ..tried },
                Next::Park(why) => parked(tried, why, now),
            };
            Ok::<_, Failure>(sending::keep(tx, &stands)?)
        })
    }

    /// Has something that is parked sent again, because a person looked: the same message, once more from the beginning.
    pub(crate) fn send_again(&self, tx: &mut Tx<'_>, due: Sending) -> Result<(), Failure> {
        let now = self.world.now();
        Ok(sending::keep(tx, &Sending { state: State::Waiting, tries: 0, next_at: now, changed_at: now, ..due })?)
    }

    /// Leaves something that is parked out for good.
    pub(crate) fn leave_out(&self, tx: &mut Tx<'_>, due: Sending) -> Result<(), Failure> {
        Ok(sending::keep(tx, &Sending { state: State::LeftOut, changed_at: self.world.now(), ..due })?)
    }

    /// The message that tells how an order goes on: of the kind in which it was ordered, in its version, with the number of
    /// the patient as the record writes it. It is made of what does not change any more, so that each try sends the same bytes:
    /// a record knows a duplicate by them.
    fn message(&self, feed: &Feed, due: &Sending, request: &Request, order: &Order) -> String {
        let told_at = london_time(due.at);
        let at = told_at.strftime("%Y%m%d%H%M%S").to_string();
        let mut message = MessageBuilder::new(Delimiters::default());
        let is_referral = order.kind == "REF";
        let (kind, trigger, structure) = if is_referral { ("RRI", "I12", "RRI_I12") } else { ("ORM", "O01", "ORM_O01") };
        let organisation = self.setup.sites.get(&feed.site.0).and_then(|site| site.run_by(told_at.date())).unwrap_or_default();
        let names_structure = order.version.as_str() > "2.3";
        message
            .segment("MSH")
            .field(3, "ALONGSIDE")
            .field(4, organisation)
            .field(5, &order.application)
            .field(6, &order.facility)
            .field(7, &at)
            .components(9, &[kind, trigger, if names_structure { structure } else { "" }])
            .field(10, &control_id(due.position))
            .field(11, feed.processing.first().map_or("P", String::as_str))
            .field(12, &order.version);
        if is_referral {
            let (code, words) = referral_status(due.progress.task);
            let ours = crate::fhir::id_of(&request.id);
            message.segment("RF1").components(1, &[code, words, "HL70283"]).field(6, &request.value).field(9, &at).field(11, &ours);
            message.segment("PRD").components(1, &["RT", "Referred to Provider", "HL70286"]).field(2, &self.service_name());
        }
        message
            .segment("PID")
            .field(1, "1")
            .components(3, &[&order.value, "", "", &order.authority, &order.id_type])
            .components(5, &[&order.family, &order.given])
            .field(7, &order.birth_date.as_deref().unwrap_or_default().replace('-', ""));
        if !is_referral {
            let (control, status) = order_status(due.progress.task);
            let ours = crate::fhir::id_of(&request.id);
            message
                .segment("ORC")
                .field(1, control)
                .field(2, &request.value)
                .field(3, &ours[ours.len() - 20..])
                .field(5, status)
                .field(9, &at);
            message.segment("OBR").field(1, "1").field(2, &request.value).field(3, &ours[ours.len() - 20..]).field(4, &order.code);
        }
        message.segment("NTE").field(1, "1").field(3, due.progress.business.words());
        message.finish()
    }

    /// What the service calls itself: nothing of what it is about.
    pub fn service_name(&self) -> String {
        self.setup.server.name.clone().unwrap_or_else(|| "Alongside".to_owned())
    }
}

/// The control id (MSH-10) of a message: the same each time that it is sent.
pub(crate) fn control_id(position: i64) -> String {
    format!("AL{position:08}")
}

fn parked(due: Sending, why: Parked, now: Timestamp) -> Sending {
    Sending { state: State::Parked, parked: Some(why), changed_at: now, ..due }
}

/// RF1-1 (table 0283).
const fn referral_status(task: TaskStatus) -> (&'static str, &'static str) {
    match task {
        TaskStatus::Requested | TaskStatus::OnHold => ("P", "Pending"),
        TaskStatus::Accepted | TaskStatus::InProgress | TaskStatus::Completed => ("A", "Accepted"),
        TaskStatus::Rejected => ("R", "Rejected"),
        TaskStatus::Failed | TaskStatus::Cancelled | TaskStatus::EnteredInError => ("E", "Expired"),
    }
}

/// ORC-1 (table 0119) and ORC-5 (table 0038).
const fn order_status(task: TaskStatus) -> (&'static str, &'static str) {
    match task {
        TaskStatus::Requested => ("SC", "SC"),
        TaskStatus::Accepted | TaskStatus::InProgress => ("SC", "IP"),
        TaskStatus::OnHold => ("SC", "HD"),
        TaskStatus::Completed => ("SC", "CM"),
        TaskStatus::Rejected => ("UA", "CA"),
        TaskStatus::Failed | TaskStatus::Cancelled => ("SC", "CA"),
        TaskStatus::EnteredInError => ("SC", "ER"),
    }
}
