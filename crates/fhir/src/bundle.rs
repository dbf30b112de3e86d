//! `Bundle`: results of searches, histories, and answers to many requests at once.

use serde_json::{Value, json};

/// A resource in a list, and why it is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its absolute address.
    pub url: String,
    /// The resource.
    pub resource: Value,
    /// Whether it was asked for; otherwise it came along with one that was.
    pub matches: bool,
}

/// The result of a search.
#[must_use]
pub fn searchset(own: &str, next: Option<&str>, found: Vec<Found>) -> Value {
    let entries: Vec<Value> = found
        .into_iter()
        .map(|found| {
            let mode = if found.matches { "match" } else { "include" };
            json!({ "fullUrl": found.url, "resource": found.resource, "search": { "mode": mode } })
        })
        .collect();
    let mut links = vec![json!({ "relation": "self", "url": own })];
    links.extend(next.map(|next| json!({ "relation": "next", "url": next })));
    with_entries(json!({ "resourceType": "Bundle", "type": "searchset", "link": links }), entries)
}

/// The history of one resource, newest first: address, version, resource.
#[must_use]
pub fn history(url: &str, kind: &str, id: &str, versions: Vec<(u32, Value)>) -> Value {
    let total = versions.len();
    let entries: Vec<Value> = versions
        .into_iter()
        .map(|(number, resource)| {
            let (method, status) = if number == 1 { ("POST", "201") } else { ("PUT", "200") };
            let at = resource["meta"]["lastUpdated"].clone();
            let asked = if number == 1 { kind.to_owned() } else { format!("{kind}/{id}") };
            json!({
                "fullUrl": url,
                "resource": resource,
                "request": { "method": method, "url": asked },
                "response": { "status": status, "etag": format!("W/\"{number}\""), "lastModified": at },
            })
        })
        .collect();
    with_entries(json!({ "resourceType": "Bundle", "type": "history", "total": total }), entries)
}

/// The answers to a batch or a transaction.
#[must_use]
pub fn responses(kind: &str, entries: Vec<Value>) -> Value {
    with_entries(json!({ "resourceType": "Bundle", "type": kind }), entries)
}

/// No array is empty in FHIR.
fn with_entries(mut bundle: Value, entries: Vec<Value>) -> Value {
    if !entries.is_empty() {
        bundle["entry"] = Value::Array(entries);
    }
    bundle
}
