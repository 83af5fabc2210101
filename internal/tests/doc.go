// Package tests is what the tests and benchmarks of several packages share. Nothing else imports it.
package tests
