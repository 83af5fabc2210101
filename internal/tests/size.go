package tests

import "os"

// SizeEnv is the environment variable that asks, with the value whole, for every repetition of the tests that do the
// same at many places or many times: .ci/run sets it.
const SizeEnv = "KAKUNIN_TESTS"

// Size is how often such a test does it: part of them in a plain go test, which people wait for, and whole in CI.
func Size(part, whole int) int {
	if os.Getenv(SizeEnv) == "whole" {
		return whole
	}
	return part
}
