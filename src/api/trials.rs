//! One test for each scenario, for test binaries without the default harness.

use std::sync::Arc;

use libtest_mimic::{Failed, Trial};

use super::suite::{Suite, SuiteError};
use crate::verify::Verdict;

impl Suite {
    /// One test for each scenario, to run with `libtest_mimic::run` in a test target with
    /// `harness = false`. Each test has a thread and a runtime, so the receiver needs another thread.
    ///
    /// A scenario that needs what the profile lacks, such as a second instance, does not fail and
    /// prints why; it fails if the suite is strict.
    ///
    /// ```no_run
    /// # fn start_game() -> String { String::new() }
    /// let suite = aghook::Suite::bundled().target(start_game()).secret("s3cret");
    /// let arguments = libtest_mimic::Arguments::from_args();
    /// libtest_mimic::run(&arguments, suite.trials()?).exit();
    /// # Ok::<(), aghook::SuiteError>(())
    /// ```
    pub fn trials(self) -> Result<Vec<Trial>, SuiteError> {
        let suite = Arc::new(self);
        let cases = suite.cases()?.into_iter().map(|case| {
            let name = format!("{}: {}", case.source.name, case.title());
            let suite = Arc::clone(&suite);
            Trial::test(name, move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                let report = runtime.block_on(suite.of_case(case).run())?;
                let verdicts = report.scenarios.iter().map(|scenario| scenario.verdict);
                let is_checked = !verdicts
                    .into_iter()
                    .all(|verdict| verdict == Verdict::NotChecked);
                match (report.passed(), is_checked) {
                    (true, _) => Ok(()),
                    (false, true) => Err(Failed::from(report.text)),
                    // The library has no way to mark a test as ignored once it runs.
                    (false, false) => {
                        eprintln!("{}", report.text);
                        Ok(())
                    }
                }
            })
        });
        Ok(cases.collect())
    }
}

#[cfg(test)]
mod tests {
    use libtest_mimic::Arguments;

    use super::*;
    use crate::api::Receiver;
    use crate::protocol::Secret;

    #[tokio::test(flavor = "multi_thread")]
    async fn every_scenario_is_a_test() {
        let receiver = Receiver::start(&Secret::new("s3cret").unwrap())
            .await
            .unwrap();
        let suite = Suite::bundled().target(receiver.url());
        let run = |suite: Suite| {
            let trials = suite.trials().unwrap();
            libtest_mimic::run(&Arguments::default(), trials)
        };
        let passed = run(suite.clone().filter("idempotency/").secret("s3cret"));
        assert!(passed.num_passed > 1 && !passed.has_failed(), "{passed:?}");
        let needs_instances = suite.clone().filter("another_instance").secret("s3cret");
        assert!(!run(needs_instances.clone()).has_failed());
        assert!(run(needs_instances.strict()).has_failed());
        let one = suite
            .filter("idempotency/redelivery.yaml")
            .secret("another");
        assert!(run(one).has_failed());
    }
}
