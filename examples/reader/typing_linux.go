package main

import (
	"os"

	"golang.org/x/sys/unix"
)

const (
	getTerminal = unix.TCGETS
	setTerminal = unix.TCSETS
)

// hideTyping stops the echo of the terminal on standard input.
func hideTyping() (restore func()) { return hideTypingOn(int(os.Stdin.Fd())) }
