//! Taking an import back: exactly what it added goes, and what it changed is put back, unless something rests on it now.

use std::collections::BTreeMap;

use alongside_domain::decision::{Actor, Cause, Context, Decision, What};
use alongside_domain::id::{ImportId, PersonId};
use alongside_store::imports::{self, Item};
use alongside_store::{Tx, journal, people};

use super::Undone;
use crate::intake::load;
use crate::{App, Failure, Invalid};

impl App {
    /// Takes away what an import added, and puts back what it changed. The journal keeps what happened.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Invalid`] when it was taken back before, or when something else rests on it now
    /// (by kind and number); the store's.
    pub fn undo_import(&self, id: ImportId) -> Result<Undone, Failure> {
        let app = self.clone();
        self.store.write(move |tx| {
            let run = imports::read(tx, id)?.ok_or(Failure::NotFound)?;
            if run.undone_at.is_some() {
                return Err(Failure::Invalid(vec![Invalid::new("import", "was taken back before")]));
            }
            let items = imports::items(tx, id)?;
            refuse_if_in_use(tx, &items)?;
            let mut ids = app.world.ids();
            let mut ctx = app.context(&mut *ids, Actor::Operator, Cause::Import(id));
            put_back(tx, &items, &mut ctx)?;
            for item in &items {
                imports::remove(tx, item)?;
            }
            imports::undo(tx, id, ctx.at)?;
            Ok(Undone { removed: counts(&items) })
        })
    }
}

fn refuse_if_in_use(tx: &mut Tx<'_>, items: &[Item]) -> Result<(), Failure> {
    let mut resting: BTreeMap<&'static str, i64> = BTreeMap::new();
    for item in items {
        for (kind, number) in imports::resting(tx, item)? {
            *resting.entry(kind).or_default() += number;
        }
    }
    let words = |(kind, number): (&str, i64)| {
        Invalid::new(kind, format!("{number} that this import did not bring rest on it; nothing was taken back"))
    };
    if resting.is_empty() { Ok(()) } else { Err(Failure::Invalid(resting.into_iter().map(words).collect())) }
}

/// Puts back what the import changed, and notes for each person that it was taken back.
fn put_back(tx: &mut Tx<'_>, items: &[Item], ctx: &mut Context<'_>) -> Result<(), Failure> {
    let mut people: BTreeMap<PersonId, Vec<&Item>> = BTreeMap::new();
    for item in items {
        let person = match item {
            Item::Person(id) | Item::Standing { person: id, .. } => Some(*id),
            Item::Progress { referral, .. } => people::of_referral(tx, *referral)?,
            Item::Question(id, _) => people::of_question(tx, *id)?,
            // Their referral or question stands in the list too.
            Item::Referral(_) | Item::Trigger(_) | Item::Contact(_) | Item::Assessment(_) => None,
        };
        if let Some(person) = person {
            people.entry(person).or_default().push(item);
        }
    }
    for (person, items) in people {
        let before = load(tx, person)?;
        let mut decision = Decision::unchanged(before.clone());
        for item in items {
            put_back_one(&mut decision, item, ctx)?;
        }
        journal::keep(tx, Some(&before), &decision)?;
    }
    Ok(())
}

fn put_back_one(decision: &mut Decision, item: &Item, ctx: &mut Context<'_>) -> Result<(), Failure> {
    let unreadable = || Failure::Broken("an item of the import cannot be read".to_owned());
    match item {
        Item::Progress { referral, before: Some(before), .. } => {
            let held = decision.record.referral_mut(*referral).ok_or(Failure::NotFound)?;
            before.put_back(held).ok_or_else(unreadable)?;
            let stage = held.status.stage();
            decision.note(ctx, What::ImportUndone, Some((*referral, Some(stage))), None);
        }
        Item::Progress { referral, before: None, .. } => decision.note(ctx, What::ImportUndone, Some((*referral, None)), None),
        Item::Standing { before, .. } => {
            before.put_back(&mut decision.record.person).ok_or_else(unreadable)?;
            decision.note(ctx, What::ImportUndone, None, None);
        }
        Item::Person(_) | Item::Question(..) => decision.note(ctx, What::ImportUndone, None, None),
        Item::Referral(_) | Item::Trigger(_) | Item::Contact(_) | Item::Assessment(_) => {}
    }
    Ok(())
}

/// What goes, by kind.
fn counts(items: &[Item]) -> Vec<(&'static str, u64)> {
    let kinds = [
        ("people", "person"),
        ("referrals", "referral"),
        ("questions", "question"),
        ("contacts", "contact"),
        ("assessments", "assessment"),
    ];
    let count = |kind: &str| items.iter().filter(|item| item.kind() == kind).count() as u64;
    kinds.into_iter().map(|(words, kind)| (words, count(kind))).filter(|(_, number)| *number > 0).collect()
}
