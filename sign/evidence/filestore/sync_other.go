//go:build !linux

package filestore

// dataSync makes what was written to a file durable.
func dataSync(f disk) error { return f.Sync() }
