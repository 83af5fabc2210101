//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package revocation

// lockDirectory does nothing where files cannot be locked: let one process only write to a directory there.
func lockDirectory(string) (unlock func(), err error) { return func() {}, nil }
