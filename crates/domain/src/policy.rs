//! The values that a service agrees on. Data, not code: each can be set in the configuration.

/// Agreed values of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Months without an attendance after which the next one is a re-engagement. UKHSA counts people not seen for at
    /// least 15 months as not in care.
    pub gap_months: u16,
    /// Age in years from which the offer may be automatic.
    pub adult_age: i16,
    /// The promise of contact and assessment: seven days, kept as five working days after release.
    pub promise_working_days: u16,
    /// Days until an assessment is repeated, where the instrument names none.
    pub repeat_assessment_days: u16,
    /// How long a deferral may last, in days: nobody is deferred out of sight.
    pub longest_deferral_days: u16,
}

impl Default for Policy {
    fn default() -> Self {
        Self { gap_months: 15, adult_age: 18, promise_working_days: 5, repeat_assessment_days: 91, longest_deferral_days: 366 }
    }
}
