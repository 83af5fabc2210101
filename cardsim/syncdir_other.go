//go:build !unix

package cardsim

// syncDirectory does nothing: directories cannot be synced here, and a rename is durable with its file system's journal.
func syncDirectory(string) error { return nil }
