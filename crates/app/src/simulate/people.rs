//! Invented people: names, numbers and addresses. Each is computed from the seed and a number, so that nobody needs to
//! be remembered.

use alongside_domain::nhs_number::NhsNumber;
use jiff::civil::{Date, date};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::clock::plus;

/// One of the two hospitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Site {
    ChelWest,
    NorthMid,
}

impl Site {
    pub(super) const BOTH: [Self; 2] = [Self::ChelWest, Self::NorthMid];

    /// Key in the demo's configuration.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::ChelWest => "chelwest",
            Self::NorthMid => "northmid",
        }
    }

    /// Key of the feed of messages.
    pub(super) const fn feed(self) -> &'static str {
        self.key()
    }

    /// Key of the feed of lists.
    pub(super) const fn list_feed(self) -> &'static str {
        match self {
            Self::ChelWest => "chelwest-list",
            Self::NorthMid => "northmid-list",
        }
    }

    /// ODS code of the organisation on a day: North Middlesex joined another trust on 1 January 2025.
    pub(super) fn organisation(self, day: Date) -> &'static str {
        match self {
            Self::ChelWest => "RQM",
            Self::NorthMid if day < date(2025, 1, 1) => "RAP",
            Self::NorthMid => "RAL",
        }
    }
}

/// Numbers below this are for people whom the story knows; the crowd counts from here.
pub(super) const CROWD_FROM: u32 = 10_000;

/// An invented person at one site.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Patient {
    pub(super) mrn: String,
    /// Ten digits, and whether it is traced and verified. The range 999 is never issued.
    pub(super) nhs: Option<(String, bool)>,
    pub(super) family: &'static str,
    pub(super) given: &'static str,
    pub(super) title: &'static str,
    pub(super) female: bool,
    pub(super) born: Date,
    pub(super) telephone: String,
    pub(super) street: String,
    pub(super) postcode: String,
}

impl Patient {
    /// The person with this number at a site, aged between `ages` in years at the year's beginning.
    pub(super) fn new(seed: u64, site: Site, number: u32, ages: (u16, u16)) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1 << 40 | u64::from(site == Site::NorthMid) << 36 | u64::from(number));
        let female = rng.random_bool(if number < CROWD_FROM { 0.32 } else { 0.53 });
        let age_days = rng.random_range(i64::from(ages.0) * 365..i64::from(ages.1) * 365);
        let street = match site {
            Site::ChelWest => STREETS_WEST.choose(&mut rng),
            Site::NorthMid => STREETS_NORTH.choose(&mut rng),
        };
        let (street, postcode) = street.copied().unwrap_or(("High Street", "SW10 9"));
        let letters = b"ABDEFGHJLNPQRSTUWXYZ";
        let unit: String = (0..2).filter_map(|_| letters.choose(&mut rng)).map(|letter| char::from(*letter)).collect();
        Self {
            mrn: mrn(site, number),
            nhs: nhs_number(site, number).filter(|_| rng.random_bool(0.96)).map(|digits| (digits, rng.random_bool(0.92))),
            family: family(site, &mut rng),
            given: (if female { WOMEN } else { MEN }).choose(&mut rng).copied().unwrap_or("Alex"),
            title: if female { "Ms" } else { "Mr" },
            female,
            born: plus(date(2024, 1, 1), -age_days),
            telephone: telephone(&mut rng),
            street: format!("{} {street}", rng.random_range(1..=240)),
            postcode: format!("{postcode}{unit}"),
        }
    }

    /// Age in whole years on a day, roughly: for choosing what happens, not for deciding anything.
    pub(super) fn years_on(&self, day: Date) -> i16 {
        day.year() - self.born.year()
    }
}

fn family(site: Site, rng: &mut ChaCha8Rng) -> &'static str {
    // Some names need more than Windows-1252, which is all that one of the two senders can write.
    if site == Site::NorthMid && rng.random_bool(0.04) {
        return FAMILIES_BEYOND.choose(rng).copied().unwrap_or("Yılmaz");
    }
    FAMILIES.choose(rng).copied().unwrap_or("Smith")
}

/// A number of the ranges that Ofcom keeps for drama.
fn telephone(rng: &mut ChaCha8Rng) -> String {
    if rng.random_bool(0.8) {
        format!("07700 900{:03}", rng.random_range(0..1000))
    } else {
        format!("020 7946 0{:03}", rng.random_range(0..1000))
    }
}

/// The hospital number: another one for every number, by a permutation.
fn mrn(site: Site, number: u32) -> String {
    let number = u64::from(number);
    match site {
        Site::ChelWest => format!("{}", 10_000_000 + (number * 7_654_321 + 1_234_567) % 80_000_000),
        Site::NorthMid => format!("{}", 1_000_000 + (number * 654_321 + 7_654_321) % 8_000_000),
    }
}

/// Ten digits of the range 999, another one for every number: each has four candidates of its own, of which about one in
/// eleven has no check digit.
fn nhs_number(site: Site, number: u32) -> Option<String> {
    let crowd = number.checked_sub(CROWD_FROM);
    let block = match (site, crowd) {
        (Site::ChelWest, None) => number,
        (Site::NorthMid, None) => 10_000 + number,
        (Site::ChelWest, Some(crowd)) if crowd < 150_000 => 20_000 + crowd,
        (Site::NorthMid, Some(crowd)) if crowd < 80_000 => 170_000 + crowd,
        (Site::ChelWest | Site::NorthMid, Some(_)) => return None,
    };
    (0..4).find_map(|candidate| {
        let mut rest = (u64::from(block) * 4 + candidate) * 367_843 % 1_000_000;
        let mut nine = [9; 9];
        for digit in nine.iter_mut().skip(3).rev() {
            *digit = u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        NhsNumber::from_nine(nine).map(NhsNumber::digits)
    })
}

const WOMEN: &[&str] = &[
    "Abena",
    "Adaeze",
    "Agnieszka",
    "Aisha",
    "Alice",
    "Amelia",
    "Amina",
    "Anjali",
    "Anna",
    "Beatriz",
    "Bisi",
    "Bronwen",
    "Camille",
    "Carmen",
    "Chantelle",
    "Chloé",
    "Comfort",
    "Dalia",
    "Deborah",
    "Denise",
    "Ebony",
    "Elena",
    "Esther",
    "Eve",
    "Faith",
    "Fatou",
    "Florence",
    "Grace",
    "Hannah",
    "Inês",
    "Irene",
    "Jasmine",
    "Joan",
    "Josephine",
    "Kamala",
    "Katherine",
    "Keisha",
    "Leila",
    "Lucía",
    "Mabel",
    "Margaret",
    "Maria",
    "Mei",
    "Miriam",
    "Monique",
    "Nadia",
    "Ngozi",
    "Niamh",
    "Olive",
    "Patience",
    "Pauline",
    "Priscilla",
    "Rebecca",
    "Renée",
    "Rosa",
    "Ruth",
    "Sarah",
    "Shanice",
    "Siân",
    "Sofía",
    "Sunita",
    "Tendai",
    "Theresa",
    "Thi",
    "Valerie",
    "Winifred",
    "Yetunde",
    "Yvonne",
    "Zainab",
    "Zoë",
];
const MEN: &[&str] = &[
    "Abdul",
    "Adebayo",
    "Alan",
    "Alejandro",
    "Andre",
    "Andrew",
    "Antônio",
    "Ben",
    "Björn",
    "Bruno",
    "Carl",
    "Chidi",
    "Christopher",
    "Colin",
    "Craig",
    "Daniel",
    "David",
    "Delroy",
    "Derek",
    "Diego",
    "Edward",
    "Emeka",
    "Farai",
    "Felipe",
    "Femi",
    "François",
    "Gareth",
    "George",
    "Giovanni",
    "Graham",
    "Harjit",
    "Hugo",
    "Ibrahim",
    "Isaac",
    "James",
    "Jean-Luc",
    "Jérôme",
    "Joaquim",
    "John",
    "Jorge",
    "José",
    "Joseph",
    "Kofi",
    "Kwame",
    "Lee",
    "Leroy",
    "Luca",
    "Marcin",
    "Mark",
    "Michael",
    "Mohamed",
    "Nathan",
    "Neil",
    "Oliver",
    "Omar",
    "Paul",
    "Pedro",
    "Peter",
    "Rafael",
    "Raj",
    "Robert",
    "Seán",
    "Simon",
    "Stephen",
    "Tariq",
    "Thabo",
    "Thomas",
    "Tomás",
    "Wei",
    "William",
];
const FAMILIES: &[&str] = &[
    "Abbott",
    "Abiola",
    "Acheampong",
    "Adeyemi",
    "Ahmed",
    "Ali",
    "Almeida",
    "Amankwah",
    "Asante",
    "Bailey",
    "Baker",
    "Banda",
    "Barnes",
    "Begum",
    "Bennett",
    "Boateng",
    "Brown",
    "Carvalho",
    "Castro",
    "Chanda",
    "Chowdhury",
    "Clarke",
    "Coleman",
    "Cooper",
    "Costa",
    "Dá Silva",
    "D'Souza",
    "Davies",
    "Diallo",
    "Dlamini",
    "Dubois",
    "Edwards",
    "Eze",
    "Fernandes",
    "Ferreira",
    "Fitzgerald",
    "Fraser",
    "García",
    "Gonçalves",
    "Green",
    "Gunn",
    "Hall",
    "Harris",
    "Hernández",
    "Hughes",
    "Hussain",
    "Ibekwe",
    "Jackson",
    "James",
    "Jones",
    "Kamara",
    "Kapoor",
    "Kaur",
    "Khan",
    "Kovac",
    "Lefèvre",
    "Lewis",
    "Lim",
    "Lopes",
    "MacDonald",
    "Malik",
    "Marques",
    "Martin",
    "McKenna",
    "Mensah",
    "Mitchell",
    "Moreno",
    "Morgan",
    "Moyo",
    "Müller",
    "Murphy",
    "Mutasa",
    "Nakato",
    "Ndlovu",
    "Nguyen",
    "Nkosi",
    "Nowak",
    "Núñez",
    "Nwosu",
    "O'Brien",
    "O'Neill",
    "Obi",
    "Okafor",
    "Okonkwo",
    "Oliveira",
    "Osei",
    "Owusu",
    "Palmer",
    "Patel",
    "Pereira",
    "Phiri",
    "Pinto",
    "Quaye",
    "Rahman",
    "Ramos",
    "Reid",
    "Richards",
    "Roberts",
    "Rossi",
    "Russo",
    "Santos",
    "Shah",
    "Sharma",
    "Singh",
    "Smith",
    "Soares",
    "St. John",
    "Stewart",
    "Sousa",
    "Taylor",
    "Teixeira",
    "Thomas",
    "Tran",
    "Turner",
    "Vieira",
    "Walker",
    "Watson",
    "White",
    "Williams",
    "Wilson",
    "Wong",
    "Wright",
    "Zhang",
    "Zulu",
];
const FAMILIES_BEYOND: &[&str] = &["Yılmaz", "Şahin", "Öztürk", "Aydın", "Wałęga", "Łukasik", "Dąbrowska", "Ionescuță", "Çelik", "Kılıç"];
const STREETS_WEST: &[(&str, &str)] = &[
    ("Alder Row", "SW10 9"),
    ("Bramble Gardens", "SW6 4"),
    ("Cedar Mews", "SW3 5"),
    ("Dovecote Road", "W6 8"),
    ("Elmfield Terrace", "SW11 3"),
    ("Fern Street", "W14 0"),
    ("Grange Walk", "SW5 0"),
    ("Harrier Road", "TW7 6"),
    ("Ivy Court", "SW7 3"),
    ("Juniper Close", "W12 7"),
];
const STREETS_NORTH: &[(&str, &str)] = &[
    ("Ash Grove", "N18 1"),
    ("Beechwood Road", "N9 0"),
    ("Chestnut Avenue", "N17 8"),
    ("Dale Road", "EN3 4"),
    ("Eastern Parade", "N13 5"),
    ("Foxglove Way", "N22 6"),
    ("Gorse Hill", "EN1 1"),
    ("Hazel Lane", "E4 8"),
    ("Island Road", "N15 4"),
    ("Jay Street", "N11 2"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn everybody_has_numbers_of_their_own_and_all_nhs_numbers_are_of_the_test_range() {
        let (mut mrns, mut numbers, mut without) = (HashSet::new(), HashSet::new(), 0);
        for site in Site::BOTH {
            for number in (0..3_000).chain(CROWD_FROM..CROWD_FROM + 3_000) {
                assert!(mrns.insert((site, mrn(site, number))));
                match nhs_number(site, number) {
                    Some(digits) => {
                        assert!(digits.parse::<NhsNumber>().is_ok_and(NhsNumber::is_test_range));
                        assert!(numbers.insert(digits));
                    }
                    None => without += 1,
                }
            }
        }
        assert!(without < 10, "{without}");
    }

    #[test]
    fn the_names_of_one_hospital_can_be_written_in_windows_1252() {
        for name in WOMEN.iter().chain(MEN).chain(FAMILIES) {
            let bytes = alongside_hl7v2::Charset::WINDOWS_1252.encode(name);
            assert!(!bytes.contains(&b'?'), "{name}");
        }
    }
}
