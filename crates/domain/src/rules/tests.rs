//! The rules, as tables of what happens and what comes of it, and as properties of whatever may happen.
//!
//! A test tells a [`story::Story`] in the words of `story.rs`, one step a line or between semicolons.

mod commands;
mod facts;
mod merging;
mod objections;
mod properties;
mod story;
