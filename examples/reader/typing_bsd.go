//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

const (
	getTerminal = unix.TIOCGETA
	setTerminal = unix.TIOCSETA
)

// hideTyping stops the echo of the terminal on standard input.
func hideTyping() (restore func()) { return hideTypingOn(int(os.Stdin.Fd())) }
