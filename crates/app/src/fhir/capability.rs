//! The CapabilityStatement: written from the table by which requests are admitted, so that it is true.

use alongside_fhir::search::{Kind as Takes, Parameter};
use serde_json::{Value, json};

use super::kinds::{ALWAYS, Interaction, PAGE, SERVED, Served};
use crate::App;

/// The day on which what is served last changed.
const CHANGED_ON: &str = "2026-11-23";

/// What this program can do over FHIR.
pub(super) fn statement(app: &App, base: &str) -> Value {
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": CHANGED_ON,
        "kind": "instance",
        "software": { "name": "Alongside", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": app.service_name(), "url": base },
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [{
            "mode": "server",
            "documentation": "A client sees what it asked for, and nothing besides. Parameters that are not listed are refused; there are no \
                              modifiers and no chains.",
            "security": {
                "cors": false,
                "service": [{ "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                    "code": "SMART-on-FHIR",
                    "display": "SMART-on-FHIR",
                }] }],
                "description": "SMART App Launch 2.2, Backend Services: private_key_jwt, RS384 or ES384.",
                "extension": [{
                    "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                    "extension": [{ "url": "token", "valueUri": format!("{}/oauth/token", base.trim_end_matches("/fhir/r4")) }],
                }],
            },
            "resource": SERVED.iter().map(resource).collect::<Vec<_>>(),
            "interaction": [{ "code": "batch" }, { "code": "transaction" }],
        }],
    })
}

fn resource(served: &Served) -> Value {
    let codes = served.interactions.iter().map(|interaction| json!({ "code": interaction.code() }));
    let mut resource = json!({
        "type": served.name,
        "documentation": served.documentation,
        "interaction": codes.collect::<Vec<_>>(),
        "versioning": if served.versioned { "versioned-update" } else { "no-version" },
        "readHistory": served.versioned,
        "updateCreate": false,
        "conditionalCreate": served.interactions.contains(&Interaction::Create),
        "conditionalRead": if served.versioned { "not-match" } else { "not-supported" },
        "conditionalUpdate": false,
        "conditionalDelete": "not-supported",
    });
    for (name, includes) in [("searchInclude", served.includes), ("searchRevInclude", served.revincludes)] {
        if !includes.is_empty() {
            resource[name] = json!(includes);
        }
    }
    let parameters: Vec<Value> = ALWAYS.iter().chain(served.parameters).filter_map(parameter).collect();
    resource["searchParam"] = json!(parameters);
    resource
}

/// A parameter as it stands there: those that only shape the answer are no search parameters.
fn parameter(parameter: &Parameter) -> Option<Value> {
    let kind = match parameter.kind {
        Takes::Token => "token",
        Takes::Reference(_) => "reference",
        Takes::Date => "date",
        Takes::Uri => "uri",
        Takes::Count | Takes::Include(_) | Takes::Page | Takes::Format => return None,
    };
    (parameter.name != PAGE).then(|| json!({ "name": parameter.name, "type": kind }))
}
