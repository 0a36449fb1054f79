//! Size of the long rounds: samples by default, whole on demand.

/// The variable that sizes the long rounds.
const VARIABLE: &str = "SOAK";

/// Returns how many rounds to run: `sample` if `SOAK` is unset, else `full` times its value.
///
/// # Panics
///
/// If the variable is not a positive number.
pub fn rounds(sample: usize, full: usize) -> usize {
    match std::env::var(VARIABLE) {
        Err(_) => sample,
        Ok(text) => {
            let factor = text.parse().ok().filter(|factor| *factor > 0);
            let factor: usize = factor.unwrap_or_else(|| panic!("{VARIABLE} must be 1 or more"));
            full.saturating_mul(factor)
        }
    }
}
