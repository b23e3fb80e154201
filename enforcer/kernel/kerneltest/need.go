package kerneltest

import (
	"os"
	"os/exec"
	"testing"
)

// Required says that a test that cannot run is a failure: CI sets
// NETPOL_REQUIRE_NETNS=1, after it has installed what the tests need.
func Required() bool { return os.Getenv("NETPOL_REQUIRE_NETNS") == "1" }

// Need skips the test where one of the programs, or the file of a program, is
// not there; where tests are required it fails.
func Need(tb testing.TB, programs ...string) {
	tb.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			Unable(tb, "the program %s is not installed; .ci/run installs what the tests need", program)
		}
	}
}

// Unable skips a test for something that this machine lacks or forbids, and
// fails it where tests are required.
func Unable(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if Required() {
		tb.Fatalf(format, args...)
	}
	tb.Skipf(format, args...)
}
