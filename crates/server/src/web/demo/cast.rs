//! Whom a visitor of the demo may be: a table.

use alongside_app::App;
use alongside_domain::supporter::Role;

use super::super::parts::RoleCard;

/// One of the kinds of people for whom this program is made.
struct Kind {
    title: &'static str,
    /// Key, what they are, and what their day is about. The first is shown, the others stand behind "More people".
    people: &'static [(&'static str, &'static str, &'static str)],
}

const KINDS: [Kind; 6] = [
    Kind {
        title: "In the clinic",
        people: &[
            ("nurse-aoife", "Clinic nurse", "Tells people that peer support is there, and records what they say."),
            ("consultant-hughes", "Consultant", "Refers in a few seconds, and looks after records that are closed to colleagues."),
            ("safeguarding-ruth", "Safeguarding lead", "Answers when somebody is under 18 or may be at risk."),
            ("adviser-priya", "Health adviser", "Tells people on the telephone, and asks again those who said “not now”."),
            ("nurse-samuel", "Clinic nurse", "Answers what the hospital’s messages could not."),
            ("nurse-blessing", "Clinic nurse, North Middlesex", "Brings in the clinic’s weekly list."),
            ("nurse-tomas", "Clinic nurse, North Middlesex", "Works where the hospital’s feed has fallen silent."),
            ("adviser-yasmin", "Health adviser, North Middlesex", "Sees what became of those whom the clinic referred."),
            ("consultant-okafor", "Consultant, North Middlesex", "Sees nobody of the other hospital."),
            ("safeguarding-daniel", "Safeguarding lead, North Middlesex", "Hears of a concern the moment it is raised."),
        ],
    },
    Kind {
        title: "Peer support",
        people: &[
            ("ines", "Peer supporter", "Sees who needs a call today, and writes the note on the way back."),
            ("dele", "Peer supporter", "Looks after thirty people, and has assessments to do."),
            ("grace", "Peer supporter", "Has a contract until 3 March 2025, and fourteen people who need somebody after it."),
            ("maria", "Peer supporter, North Middlesex", "Works at the other hospital, and sees that one alone."),
            ("tunde", "Peer supporter, North Middlesex", "Has a contract until 20 January 2025."),
            ("marcus", "Was a peer supporter", "Left at the end of July: nothing is open any more."),
        ],
    },
    Kind {
        title: "Coordination",
        people: &[
            ("coordinator-leila", "Coordinator", "Gives everybody a supporter, and sees which promise is about to be missed."),
            (
                "coordinator-nadia",
                "Coordinator of a partner",
                "Sees the people of one charity alone, and nobody before they are given to it.",
            ),
        ],
    },
    Kind {
        title: "Management and commissioning",
        people: &[("manager-frances", "Manager", "Reads the figures of the quarter, as a commissioner does, and never a name.")],
    },
    Kind {
        title: "Information governance",
        people: &[("governance-martin", "Information-governance lead", "Finds out in seconds who saw or changed a record.")],
    },
    Kind {
        title: "Integration",
        people: &[(
            "engineer-wei",
            "Integration engineer",
            "Sees which feed is silent, and has set-aside messages read again, without a name.",
        )],
    },
];

/// The cards of a kind.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    /// The first.
    pub(crate) first: Vec<RoleCard>,
    /// The others.
    pub(crate) more: Vec<RoleCard>,
}

/// What somebody is, in a word or two.
pub(crate) fn job(key: &str, role: Role) -> &'static str {
    let people = KINDS.iter().flat_map(|kind| kind.people);
    people.into_iter().find(|(of, _, _)| *of == key).map_or(role.words(), |(_, job, _)| job)
}

/// The supporter of the demo's first pages.
pub(crate) const SUPPORTER: &str = "ines";

/// The card of the person themselves.
pub(crate) fn own() -> RoleCard {
    RoleCard {
        key: "them".into(),
        name: "A private link".into(),
        role: "Somebody who is supported".into(),
        does: "No account and no password: a page that gives nothing away on a locked telephone.".into(),
    }
}

/// The cards of everybody who works here, by kind. Whoever is not configured is left out.
pub(crate) fn groups(app: &App) -> Vec<Group> {
    let known = |key: &str| app.setup.staff.contains_key(key) || app.setup.supporters.contains_key(key);
    let groups = KINDS.iter().map(|kind| {
        let people = kind.people.iter().filter(|(key, _, _)| known(key));
        let mut cards = people.map(|(key, job, does)| RoleCard {
            key: (*key).to_owned(),
            name: app.setup.name_of(key),
            role: (*job).to_owned(),
            does: (*does).to_owned(),
        });
        Group { title: kind.title, first: cards.next().into_iter().collect(), more: cards.collect() }
    });
    groups.filter(|group| !group.first.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use alongside_app::Setup;
    use alongside_app::setup::Extra;
    use alongside_app::simulate::DEMO_CONFIGURATION;

    use super::*;

    #[test]
    fn everybody_of_the_demo_has_one_card() {
        let setup = Setup::read(DEMO_CONFIGURATION, &Extra::default()).unwrap();
        let cards = || KINDS.iter().flat_map(|kind| kind.people).map(|(key, _, _)| *key);
        for somebody in setup.staff.keys().chain(setup.supporters.keys()) {
            assert_eq!(cards().filter(|key| key == somebody).count(), 1, "{somebody}");
        }
    }
}
