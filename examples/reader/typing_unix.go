//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package main

import "golang.org/x/sys/unix"

// hideTypingOn stops the echo of a terminal (POSIX, 11.2.5); what is no terminal has none.
func hideTypingOn(fd int) (restore func()) {
	before, err := unix.IoctlGetTermios(fd, getTerminal)
	if err != nil {
		return func() {}
	}
	quiet := *before
	quiet.Lflag &^= unix.ECHO
	if unix.IoctlSetTermios(fd, setTerminal, &quiet) != nil {
		return func() {}
	}
	return func() { _ = unix.IoctlSetTermios(fd, setTerminal, before) }
}
