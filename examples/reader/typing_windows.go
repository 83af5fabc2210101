package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// hideTyping stops the echo of the console on standard input; what is no console has none.
func hideTyping() (restore func()) {
	console := windows.Handle(os.Stdin.Fd())
	var before uint32
	if windows.GetConsoleMode(console, &before) != nil ||
		windows.SetConsoleMode(console, before&^windows.ENABLE_ECHO_INPUT) != nil {
		return func() {}
	}
	return func() { _ = windows.SetConsoleMode(console, before) }
}
