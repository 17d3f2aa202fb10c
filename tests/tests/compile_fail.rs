//! What must not compile, and what the compiler then says: one error per mistake, at the token at fault.

#[test]
fn mistakes_are_errors_that_teach() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
