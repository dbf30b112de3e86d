//! Many at once: a batch, each for itself, and a transaction, all or nothing.

use std::collections::BTreeMap;

use alongside_fhir::{Code, Issue, bundle, reading};
use alongside_store::Tx;
use serde_json::{Value, json};

use super::Refused;
use super::asking::{About, not_kept};
use super::hatch::{Hatch, Reply, Request, Seen};
use super::kinds::Interaction;
use super::told::Held;

/// The most entries of a bundle.
const ENTRIES_MAX: usize = 100;
/// The elements of a Task that may come with a request: each follows from the request, and none says anything of its own.
const OF_TASK: [&str; 13] = [
    "resourceType",
    "id",
    "meta",
    "identifier",
    "status",
    "intent",
    "priority",
    "code",
    "focus",
    "for",
    "authoredOn",
    "requester",
    "owner",
];

impl Hatch {
    /// Carries out a batch or a transaction.
    pub(super) fn bundle(&self, body: &str) -> Result<Reply, Refused> {
        let bundle = reading::resource("Bundle", body).map_err(|issues| Refused::all(400, issues))?;
        let entries: Vec<Value> = bundle["entry"].as_array().cloned().unwrap_or_default();
        if entries.len() > ENTRIES_MAX {
            return Err(Refused::new(413, Issue::at(Code::TooLong, "Bundle.entry", format!("may be at most {ENTRIES_MAX}"))));
        }
        match bundle["type"].as_str() {
            Some("batch") => {
                let answers = entries.iter().enumerate().map(|(index, entry)| {
                    let answer = request_of(entry, &place(index)).and_then(|request| self.alone(request));
                    self.entry(answer.unwrap_or_else(Reply::from))
                });
                Ok(Reply::list(bundle::responses("batch-response", answers.collect())))
            }
            Some("transaction") => self.in_one(move |hatch, tx, seen| hatch.transaction(tx, seen, &entries)),
            _ => Err(Refused::new(400, Issue::at(Code::Value, "Bundle.type", "must be batch or transaction"))),
        }
    }

    /// All or nothing: what is asked for first, then the rest in its order.
    fn transaction(&self, tx: &mut Tx<'_>, seen: &mut Seen, entries: &[Value]) -> Result<Reply, Refused> {
        let mut answers: BTreeMap<usize, Reply> = BTreeMap::new();
        let mut asked: BTreeMap<String, Held> = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| is_post_of(entry, "ServiceRequest")) {
            let (reply, held) = self.ask_within(tx, seen, entries, index, entry)?;
            answers.insert(index, reply);
            if let Some(url) = entry["fullUrl"].as_str() {
                asked.insert(url.to_owned(), held);
            }
        }
        for (index, entry) in entries.iter().enumerate() {
            let place = place(index);
            let reply = if is_post_of(entry, "ServiceRequest") {
                continue;
            } else if is_post_of(entry, "Patient") {
                self.came_with(tx, seen, entries, entry, &asked).map_err(|refused| within(refused, &place))?
            } else if is_post_of(entry, "Task") {
                self.task_of(entry, &asked).map_err(|refused| within(refused, &place))?
            } else {
                let request = request_of(entry, &place)?;
                self.perform(tx, seen, &request).map_err(|refused| within(refused, &place))?
            };
            answers.insert(index, reply);
        }
        let answers = answers.into_values().map(|reply| self.entry(reply)).collect();
        Ok(Reply::list(bundle::responses("transaction-response", answers)))
    }

    fn ask_within(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut Seen,
        entries: &[Value],
        index: usize,
        entry: &Value,
    ) -> Result<(Reply, Held), Refused> {
        self.admit("ServiceRequest", Interaction::Create)?;
        let place = format!("{}.resource", place(index));
        let resource = &entry["resource"];
        reading::resource("ServiceRequest", &resource.to_string()).map_err(|issues| within(Refused::all(400, issues), &place))?;
        let with = resource["subject"]["reference"].as_str().and_then(|url| {
            let same = |(_, other): &(usize, &Value)| other["fullUrl"] == *url && is_post_of(other, "Patient");
            entries
                .iter()
                .enumerate()
                .find(same)
                .map(|(index, other)| (&other["resource"], format!("Bundle.entry[{index}].resource.Patient")))
        });
        let about = match with {
            Some((patient, place)) => {
                reading::resource("Patient", &patient.to_string()).map_err(|issues| Refused::all(400, issues))?;
                About::With(patient, place)
            }
            None => About::Said,
        };
        let condition = entry["request"]["ifNoneExist"].as_str();
        let asked = self.ask(tx, seen, resource, &about, condition);
        let (held, is_new) = asked.map_err(|refused| within(refused, &place))?;
        Ok((self.made("ServiceRequest", &held, is_new), held))
    }

    /// A Patient that came with a request: whoever the request is about now.
    fn came_with(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut Seen,
        entries: &[Value],
        entry: &Value,
        asked: &BTreeMap<String, Held>,
    ) -> Result<Reply, Refused> {
        let about = |other: &&Value| is_post_of(other, "ServiceRequest") && other["resource"]["subject"]["reference"] == entry["fullUrl"];
        let request = entries.iter().find(about).and_then(|other| asked.get(other["fullUrl"].as_str()?));
        let held = request.filter(|_| entry["fullUrl"].is_string());
        let held =
            held.ok_or_else(|| Refused::rule("Patient", "Nobody is kept for whom nothing is asked: send it with its ServiceRequest"))?;
        let resource = self.patient(tx, seen, held.request.person)?;
        let location = Some(format!("Patient/{}", resource["id"].as_str().unwrap_or_default()));
        Ok(Reply { status: 201, location, ..Reply::found(resource) })
    }

    /// A Task of a request in the same transaction: the one that this side has made of it.
    fn task_of(&self, entry: &Value, asked: &BTreeMap<String, Held>) -> Result<Reply, Refused> {
        let resource = &entry["resource"];
        reading::resource("Task", &resource.to_string()).map_err(|issues| Refused::all(400, issues))?;
        let unkept = not_kept(resource, "Task", &[&OF_TASK]);
        if !unkept.is_empty() {
            return Err(Refused::all(422, unkept));
        }
        let held = resource["focus"]["reference"].as_str().and_then(|url| asked.get(url));
        let held = held.ok_or_else(|| Refused::rule("Task.focus", "must be a ServiceRequest of the same transaction"))?;
        for (element, wanted) in [("status", "requested"), ("intent", "order")] {
            if resource[element] != wanted {
                return Err(Refused::rule(format!("Task.{element}"), &format!("must be {wanted}")));
            }
        }
        Ok(self.made("Task", held, true))
    }

    /// The answer of one entry.
    fn entry(&self, reply: Reply) -> Value {
        let mut response = json!({ "status": reply.status.to_string() });
        if let Some(version) = reply.version {
            response["etag"] = json!(format!("W/\"{version}\""));
        }
        if let Some(at) = &reply.modified {
            response["lastModified"] = json!(at);
        }
        if let Some(location) = &reply.location {
            response["location"] = json!(format!("{}/{location}", self.base));
        }
        if reply.status < 300 {
            return json!({ "resource": reply.body, "response": response });
        }
        response["outcome"] = reply.body;
        json!({ "response": response })
    }
}

fn place(index: usize) -> String {
    format!("Bundle.entry[{index}]")
}

fn within(refused: Refused, place: &str) -> Refused {
    let issues = refused.issues.into_iter().map(|issue| issue.within(place)).collect();
    Refused { issues, ..refused }
}

fn is_post_of(entry: &Value, kind: &str) -> bool {
    entry["request"]["method"] == "POST" && entry["request"]["url"].as_str().is_some_and(|url| url.trim_start_matches('/') == kind)
}

/// The interaction of an entry.
fn request_of(entry: &Value, place: &str) -> Result<Request, Refused> {
    let asked = &entry["request"];
    let wrong = |what: &str| Refused::new(400, Issue::at(Code::Value, format!("{place}.request.url"), what));
    let url = asked["url"].as_str().unwrap_or_default().trim_start_matches('/');
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    let body = || entry["resource"].to_string();
    let text = |key: &str| asked[key].as_str().map(str::to_owned);
    match (asked["method"].as_str().unwrap_or_default(), parts.as_slice()) {
        ("GET", [kind]) => {
            Ok(Request::Search { kind: kind.clone(), pairs: form_urlencoded::parse(query.as_bytes()).into_owned().collect() })
        }
        ("GET", [kind, id]) => Ok(Request::Read { kind: kind.clone(), id: id.clone() }),
        ("GET", [kind, id, history]) if history == "_history" => Ok(Request::History { kind: kind.clone(), id: id.clone() }),
        ("GET", [kind, id, history, version]) if history == "_history" => {
            Ok(Request::Vread { kind: kind.clone(), id: id.clone(), version: version.clone() })
        }
        ("POST", [kind]) => Ok(Request::Create { kind: kind.clone(), body: body(), if_none_exist: text("ifNoneExist") }),
        ("PUT", [kind, id]) => Ok(Request::Update { kind: kind.clone(), id: id.clone(), body: body(), if_match: text("ifMatch") }),
        _ => Err(wrong("is none of an interaction that is carried out here")),
    }
}
