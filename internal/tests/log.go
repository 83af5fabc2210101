package tests

import (
	"strings"
	"sync"
)

// Log keeps what several goroutines write, so that a test can search it. The zero value is empty.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write keeps p. It never fails.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all that was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
