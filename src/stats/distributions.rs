//! Distribution functions and quantiles: normal, Student t, F, chi-square, binomial tail.
//!
//! Tails are computed directly, not as one minus the other side, so a small p keeps its digits.
//! Arguments outside the domain give NaN.

use super::special::{beta_inc, gamma_p, gamma_q, ln_gamma};

/// P(Z ≤ z) of the standard normal distribution.
pub fn normal_cdf(z: f64) -> f64 {
    let tail = 0.5 * gamma_q(0.5, 0.5 * z * z);
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// The z with P(Z ≤ z) = p, 0 < p < 1.
pub fn normal_quantile(p: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return f64::NAN;
    }
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    -upper_root(|z| 0.5 * gamma_q(0.5, 0.5 * z * z) <= p)
}

/// P(T > |t|)·2 of Student's t with `df` degrees of freedom; infinitely many give the normal distribution.
pub fn student_t_two_sided(t: f64, df: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    if df == f64::INFINITY {
        return gamma_q(0.5, 0.5 * t * t);
    }
    beta_inc(0.5 * df, 0.5, df / (df + t * t))
}

/// P(T > t) of Student's t with `df` degrees of freedom.
pub fn student_t_sf(t: f64, df: f64) -> f64 {
    let half = 0.5 * student_t_two_sided(t, df);
    if t > 0.0 { half } else { 1.0 - half }
}

/// The t with P(T ≤ t) = p, 0 < p < 1.
pub fn student_t_quantile(p: f64, df: f64) -> f64 {
    if !(p > 0.0 && p < 1.0 && df > 0.0) {
        return f64::NAN;
    }
    if p < 0.5 {
        return -student_t_quantile(1.0 - p, df);
    }
    upper_root(|t| 0.5 * student_t_two_sided(t, df) <= 1.0 - p)
}

/// P(F > f) of the F distribution with `df1` and `df2` degrees of freedom.
pub fn f_sf(f: f64, df1: f64, df2: f64) -> f64 {
    if f.is_infinite() {
        return 0.0;
    }
    beta_inc(0.5 * df2, 0.5 * df1, df2 / (df2 + df1 * f))
}

/// P(X > x) of chi-square with `df` degrees of freedom.
pub fn chi_square_sf(x: f64, df: f64) -> f64 {
    gamma_q(0.5 * df, 0.5 * x)
}

/// The x with P(X ≤ x) = p of chi-square with `df` degrees of freedom, 0 < p < 1.
pub fn chi_square_quantile(p: f64, df: f64) -> f64 {
    if !(p > 0.0 && p < 1.0 && df > 0.0) {
        return f64::NAN;
    }
    upper_root(|x| gamma_p(0.5 * df, 0.5 * x) >= p)
}

/// P(X ≤ k) for X binomial with `n` trials of probability one half.
pub fn fair_binomial_cdf(k: u64, n: u64) -> f64 {
    if k >= n {
        return 1.0;
    }
    let ln_n = ln_gamma(n as f64 + 1.0);
    let ln_two = std::f64::consts::LN_2 * n as f64;
    let term = |i: u64| (ln_n - ln_gamma(i as f64 + 1.0) - ln_gamma((n - i) as f64 + 1.0) - ln_two).exp();
    (0..=k).map(term).sum::<f64>().min(1.0)
}

/// Smallest x ≥ 0 at which the monotone predicate `reached` holds, to the last bit or two.
fn upper_root(reached: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while !reached(high) && high < 1e300 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if reached(middle) { high = middle } else { low = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_invert_their_distributions() {
        for p in [0.005, 0.025, 0.3, 0.5, 0.9, 0.975] {
            assert!((normal_cdf(normal_quantile(p)) - p).abs() < 1e-13, "normal {p}");
            assert!((1.0 - student_t_sf(student_t_quantile(p, 2.0), 2.0) - p).abs() < 1e-13, "t {p}");
            assert!((1.0 - chi_square_sf(chi_square_quantile(p, 9.0), 9.0) - p).abs() < 1e-13, "χ² {p}");
        }
        assert!(normal_quantile(1.0).is_nan() && student_t_quantile(0.5, -1.0).is_nan());
    }

    #[test]
    fn infinitely_many_degrees_of_freedom_are_the_normal_distribution() {
        assert!((student_t_quantile(0.975, f64::INFINITY) - normal_quantile(0.975)).abs() < 1e-12);
        assert!((student_t_sf(1.3, f64::INFINITY) - (1.0 - normal_cdf(1.3))).abs() < 1e-14);
        assert!((student_t_sf(1.3, f64::INFINITY) - student_t_sf(1.3, 1e6)).abs() < 1e-6);
    }

    #[test]
    fn three_seeds_need_the_factor_4_30() {
        // Closed form at two degrees of freedom: t = (2p − 1)·√(2 / (1 − (2p − 1)²)).
        let exact = 0.95 * (2.0_f64 / (1.0 - 0.95 * 0.95)).sqrt();
        assert!((student_t_quantile(0.975, 2.0) - exact).abs() < 1e-12);
    }

    #[test]
    fn fair_binomial_sums_to_one() {
        assert!((fair_binomial_cdf(2, 5) - 0.5).abs() < 1e-14);
        assert_eq!(fair_binomial_cdf(0, 0), 1.0);
    }
}
