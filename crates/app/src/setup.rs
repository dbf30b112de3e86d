//! The configuration: sites, feeds, the people who work here, instruments, agreed values. Read whole, or refused whole.

use std::collections::{BTreeMap, BTreeSet};

use alongside_domain::instrument::Instrument;
use alongside_domain::person::SiteId;
use alongside_domain::policy::Policy;
use alongside_domain::supporter::{Basis, Role, StaffId, Supporter};
use jiff::civil::Date;
use serde::Deserialize;

use crate::failure::Invalid;
use crate::instruments;
use crate::profile::{self, Profile};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    server: Server,
    #[serde(default)]
    policy: PolicyFile,
    #[serde(default)]
    site: Vec<SiteFile>,
    #[serde(default)]
    feed: Vec<FeedFile>,
    #[serde(default)]
    staff: Vec<StaffFile>,
    #[serde(default)]
    supporter: Vec<SupporterFile>,
}

/// Where the program keeps things and listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// `sqlite:PATH` or `postgres://…`.
    pub database: String,
    /// Address of the pages: loopback only until sign-in exists.
    pub http: String,
    /// Folder into which letters are written; without one they stay queued and are listed.
    pub letters: Option<String>,
    /// Folder with further profiles.
    pub profiles: Option<String>,
    /// Folder with further instruments.
    pub instruments: Option<String>,
    /// Days for which a message that was set aside is kept.
    pub quarantine_days: u16,
    /// The largest message in MiB.
    pub message_mib_max: u16,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            database: "sqlite:alongside.db".into(),
            http: "127.0.0.1:8080".into(),
            letters: None,
            profiles: None,
            instruments: None,
            quarantine_days: 30,
            message_mib_max: 16,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PolicyFile {
    gap_months: u16,
    adult_age: i16,
    promise_working_days: u16,
    repeat_assessment_days: u16,
    longest_deferral_days: u16,
}

impl Default for PolicyFile {
    fn default() -> Self {
        let Policy { gap_months, adult_age, promise_working_days, repeat_assessment_days, longest_deferral_days } = Policy::default();
        Self { gap_months, adult_age, promise_working_days, repeat_assessment_days, longest_deferral_days }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteFile {
    key: String,
    title: String,
    organisations: Vec<Organisation>,
    #[serde(default)]
    partner: Vec<PartnerFile>,
}

/// An organisation that runs a site, from a day and until a day: organisations merge, sites go on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// ODS code.
    pub code: String,
    /// First day.
    #[serde(default, deserialize_with = "optional_date")]
    pub from: Option<Date>,
    /// Last day.
    #[serde(default, deserialize_with = "optional_date")]
    pub until: Option<Date>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartnerFile {
    key: String,
    title: String,
    #[serde(default)]
    basis: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeedFile {
    key: String,
    site: String,
    profile: String,
    listen: Option<String>,
    #[serde(default)]
    processing: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StaffFile {
    key: String,
    name: String,
    role: String,
    sites: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SupporterFile {
    key: String,
    first_name: String,
    partner: String,
    sites: Vec<String>,
    #[serde(deserialize_with = "date")]
    from: Date,
    #[serde(default, deserialize_with = "optional_date")]
    until: Option<Date>,
    capacity: u32,
}

fn date<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    optional_date(deserializer)?.ok_or_else(|| serde::de::Error::custom("a date is missing"))
}

/// A date written as text or as a TOML date.
fn optional_date<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    let text = match &value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.parse().map(Some).map_err(|_| serde::de::Error::custom("must be a date such as 2025-01-06"))
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Key.
    pub key: SiteId,
    /// Title on pages.
    pub title: String,
    /// Who runs it, over time.
    pub organisations: Vec<Organisation>,
    /// Partner charities: key, title, footing.
    pub partners: Vec<(String, String, Basis)>,
}

/// A sending system at a site.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Key.
    pub key: String,
    /// Whose patients it speaks of.
    pub site: SiteId,
    /// What it means by what it sends.
    pub profile: Profile,
    /// Address of the MLLP listener, for feeds of messages.
    pub listen: Option<String>,
    /// Processing ids (MSH-11) that are taken.
    pub processing: Vec<String>,
}

/// Somebody who works at a clinic or for the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// Key.
    pub id: StaffId,
    /// Name on pages.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Sites.
    pub sites: Vec<SiteId>,
}

/// Everything that is configured.
#[derive(Debug)]
pub struct Setup {
    /// Where things are kept and listened for.
    pub server: Server,
    /// Agreed values.
    pub policy: Policy,
    /// Sites by key.
    pub sites: BTreeMap<String, Site>,
    /// Feeds by key.
    pub feeds: BTreeMap<String, Feed>,
    /// Staff by key.
    pub staff: BTreeMap<String, Staff>,
    /// Supporters by key.
    pub supporters: BTreeMap<String, Supporter>,
    /// Instruments by id.
    pub instruments: BTreeMap<String, Instrument>,
}

/// Further files beside the built-in ones: name (without ending) and text.
#[derive(Debug, Default)]
pub struct Extra {
    /// Profiles; one of a built-in name replaces it.
    pub profiles: Vec<(String, String)>,
    /// Instruments; one of a built-in name replaces it.
    pub instruments: Vec<(String, String)>,
}

impl Setup {
    /// Reads the server's part alone, to know where further files are.
    ///
    /// # Errors
    /// Where the text is no configuration.
    pub fn server(text: &str) -> Result<Server, Vec<Invalid>> {
        parse(text).map(|file| file.server)
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// Every problem, with its place.
    pub fn read(text: &str, extra: &Extra) -> Result<Self, Vec<Invalid>> {
        let file = parse(text)?;
        let mut reader = Reader { problems: Vec::new() };
        let sites = reader.sites(&file.site);
        let feeds = reader.feeds(&file.feed, &sites, extra);
        let staff = reader.staff(&file.staff, &sites);
        let supporters = reader.supporters(&file.supporter, &sites);
        let instruments = instruments::read_all(&extra.instruments).unwrap_or_else(|problems| {
            reader.problems.extend(problems);
            BTreeMap::new()
        });
        let policy = reader.policy(&file.policy);
        if reader.problems.is_empty() {
            Ok(Self { server: file.server, policy, sites, feeds, staff, supporters, instruments })
        } else {
            Err(reader.problems)
        }
    }

    /// A member of staff, to act.
    #[must_use]
    pub fn staff_actor(&self, key: &str) -> Option<alongside_domain::decision::Actor> {
        if let Some(staff) = self.staff.get(key) {
            return Some(alongside_domain::decision::Actor::Staff { id: staff.id.clone(), role: staff.role });
        }
        self.supporters
            .get(key)
            .map(|supporter| alongside_domain::decision::Actor::Staff { id: supporter.id.clone(), role: Role::Supporter })
    }

    /// The name to show for a key of staff or supporter: the first name of a supporter.
    #[must_use]
    pub fn name_of(&self, key: &str) -> String {
        let staff = self.staff.get(key).map(|staff| staff.name.clone());
        staff.or_else(|| self.supporters.get(key).map(|supporter| supporter.first_name.clone())).unwrap_or_else(|| key.to_owned())
    }
}

fn parse(text: &str) -> Result<File, Vec<Invalid>> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        vec![Invalid::new(format!("line {line}"), error.message().to_owned())]
    })
}

struct Reader {
    problems: Vec<Invalid>,
}

impl Reader {
    fn say(&mut self, place: String, what: &str) {
        self.problems.push(Invalid::new(place, what));
    }

    fn policy(&mut self, file: &PolicyFile) -> Policy {
        for (name, value, min, max) in [
            ("gap_months", i64::from(file.gap_months), 6, 60),
            ("adult_age", i64::from(file.adult_age), 16, 25),
            ("promise_working_days", i64::from(file.promise_working_days), 1, 30),
            ("repeat_assessment_days", i64::from(file.repeat_assessment_days), 14, 730),
            ("longest_deferral_days", i64::from(file.longest_deferral_days), 7, 1100),
        ] {
            if value < min || value > max {
                self.say(format!("policy.{name}"), &format!("must be between {min} and {max}"));
            }
        }
        Policy {
            gap_months: file.gap_months,
            adult_age: file.adult_age,
            promise_working_days: file.promise_working_days,
            repeat_assessment_days: file.repeat_assessment_days,
            longest_deferral_days: file.longest_deferral_days,
        }
    }

    fn sites(&mut self, files: &[SiteFile]) -> BTreeMap<String, Site> {
        let mut sites = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            let partners = file.partner.iter().enumerate().map(|(p, partner)| {
                let basis = partner.basis.as_deref().map_or(Some(Basis::Outside), Basis::from_code);
                if basis.is_none() {
                    self.say(format!("site[{index}].partner[{p}].basis"), "must be inside or outside");
                }
                (partner.key.clone(), partner.title.clone(), basis.unwrap_or(Basis::Outside))
            });
            let site = Site {
                key: SiteId(file.key.clone()),
                title: file.title.clone(),
                partners: partners.collect(),
                organisations: file.organisations.clone(),
            };
            if file.organisations.is_empty() {
                self.say(format!("site[{index}].organisations"), "needs at least one organisation");
            }
            if sites.insert(file.key.clone(), site).is_some() {
                self.say(format!("site[{index}].key"), "stands twice");
            }
        }
        sites
    }

    fn feeds(&mut self, files: &[FeedFile], sites: &BTreeMap<String, Site>, extra: &Extra) -> BTreeMap<String, Feed> {
        let mut feeds = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            let Some(site) = sites.get(&file.site) else {
                self.say(format!("feed[{index}].site"), "is not a configured site");
                continue;
            };
            let Some(text) = profile_text(&file.profile, extra) else {
                self.say(format!("feed[{index}].profile"), "there is no profile of this name");
                continue;
            };
            let codes: Vec<String> = site.organisations.iter().map(|organisation| organisation.code.clone()).collect();
            match profile::bind(text, &file.site, &codes) {
                Ok(profile) => {
                    let processing = if file.processing.is_empty() { vec!["P".to_owned()] } else { file.processing.clone() };
                    let feed = Feed { key: file.key.clone(), site: site.key.clone(), profile, listen: file.listen.clone(), processing };
                    if feeds.insert(file.key.clone(), feed).is_some() {
                        self.say(format!("feed[{index}].key"), "stands twice");
                    }
                }
                Err(problems) => {
                    self.problems
                        .extend(problems.into_iter().map(|p| Invalid::new(format!("profile {}: {}", file.profile, p.place), p.what)));
                }
            }
        }
        feeds
    }

    fn known_sites(&mut self, place: &str, keys: &[String], sites: &BTreeMap<String, Site>) -> Vec<SiteId> {
        let known: BTreeSet<&String> = sites.keys().collect();
        if keys.iter().any(|key| !known.contains(key)) {
            self.say(format!("{place}.sites"), "names a site that is not configured");
        }
        keys.iter().map(|key| SiteId(key.clone())).collect()
    }

    fn staff(&mut self, files: &[StaffFile], sites: &BTreeMap<String, Site>) -> BTreeMap<String, Staff> {
        let mut staff = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            let Some(role) = Role::from_code(&file.role) else {
                self.say(format!("staff[{index}].role"), "is not a role");
                continue;
            };
            let at = self.known_sites(&format!("staff[{index}]"), &file.sites, sites);
            let member = Staff { id: StaffId(file.key.clone()), name: file.name.clone(), role, sites: at };
            if staff.insert(file.key.clone(), member).is_some() {
                self.say(format!("staff[{index}].key"), "stands twice");
            }
        }
        staff
    }

    fn supporters(&mut self, files: &[SupporterFile], sites: &BTreeMap<String, Site>) -> BTreeMap<String, Supporter> {
        let mut supporters = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            let at = self.known_sites(&format!("supporter[{index}]"), &file.sites, sites);
            let footing = |site: &SiteId| {
                let partners = sites.get(&site.0).map(|site| &site.partners);
                partners.and_then(|partners| partners.iter().find(|(key, _, _)| *key == file.partner)).map(|(_, _, basis)| *basis)
            };
            let with: Vec<_> = at.into_iter().filter_map(|site| footing(&site).map(|basis| (site, basis))).collect();
            if with.len() != file.sites.len() {
                self.say(format!("supporter[{index}].partner"), "is not a partner of each of the sites");
            }
            let supporter = Supporter {
                id: StaffId(file.key.clone()),
                first_name: file.first_name.clone(),
                partner: file.partner.clone(),
                sites: with,
                from: file.from,
                until: file.until,
                capacity: file.capacity,
            };
            if supporters.insert(file.key.clone(), supporter).is_some() {
                self.say(format!("supporter[{index}].key"), "stands twice");
            }
        }
        supporters
    }
}

fn profile_text<'a>(name: &str, extra: &'a Extra) -> Option<&'a str> {
    let own = extra.profiles.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
    own.or_else(|| profile::BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        [[site]]
        key = "here"
        title = "Here"
        organisations = [{ code = "RQM" }, { code = "RAL", from = "2025-01-01" }]
        [[site.partner]]
        key = "charity"
        title = "A charity"
        [[feed]]
        key = "here"
        site = "here"
        profile = "careflow"
        [[supporter]]
        key = "anna"
        first_name = "Anna"
        partner = "charity"
        sites = ["here"]
        from = 2024-01-01
        capacity = 5
    "#;

    #[test]
    fn a_partner_is_outside_unless_it_says_otherwise() {
        let setup = Setup::read(SMALL, &Extra::default()).unwrap();
        assert_eq!(setup.supporters["anna"].sites[0].1, Basis::Outside);
    }

    #[test]
    fn unknown_keys_and_names_are_refused_with_their_place() {
        let places =
            |text: &str| -> Vec<String> { Setup::read(text, &Extra::default()).unwrap_err().into_iter().map(|p| p.place).collect() };
        assert_eq!(places(&SMALL.replace("capacity", "capcity")), ["line 19"]);
        assert_eq!(places(&SMALL.replace("profile = \"careflow\"", "profile = \"nowhere\"")), ["feed[0].profile"]);
        assert_eq!(places(&SMALL.replace("sites = [\"here\"]", "sites = [\"there\"]")), ["supporter[0].sites", "supporter[0].partner"]);
        assert_eq!(places(&format!("{SMALL}\n[policy]\ngap_months = 2")), ["policy.gap_months"]);
    }
}
