//! The rules of peer support in HIV care: nouns, decisions and refusals.
//!
//! This room is pure. Time, ids and what is stored come in as arguments; what should happen goes out as plain
//! values that compare with `==`. There is no clock, no randomness, no SQL, no serialisation and no logging here.
//!
//! The way through: [`fact::Fact`]s (what a hospital said) and [`command::Command`]s (what a person asked for) meet
//! a [`record::Record`] (everything known of one person at one site) in [`rules`], which answer with a
//! [`decision::Decision`] or a [`decision::Refusal`].

pub mod access;
pub mod allocation;
pub mod calendar;
pub mod card;
pub mod code;
pub mod command;
pub mod concern;
pub mod contact;
pub mod decision;
pub mod fact;
pub mod feed_rate;
pub mod field;
pub mod glass;
pub mod id;
pub mod instrument;
pub mod ledger;
pub mod masking;
pub mod measures;
pub mod nhs_number;
pub mod notice;
pub mod passport;
pub mod person;
pub mod policy;
pub mod progress;
pub mod question;
pub mod reconciliation;
pub mod record;
pub mod referral;
pub mod reply;
pub mod rules;
pub mod safe_contact;
pub mod sending;
pub mod session;
pub mod statistics;
pub mod supporter;
pub mod today;
pub mod trigger;
