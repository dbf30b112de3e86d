//! Every statement of the room, on both engines.

use alongside_store::{Store, all_statements, quarrels, testing};

#[test]
fn every_statement_can_be_prepared_on_both_engines() {
    testing::both_engines(|store: Store| testing::prepare_all(&store, &all_statements()));
}

#[test]
fn sql_says_only_what_both_engines_understand() {
    assert_eq!(quarrels(&all_statements()), []);
}
