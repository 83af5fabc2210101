package evidence

import (
	"context"
	"errors"

	"golang.org/x/mod/sumdb/tlog"
)

// Copy takes over a log into another store, such as from files into a database: entries, held parts as they are
// encrypted, deletions, and the archived files that records name. The checkpoints of the first hold for the second. A
// store that has the beginning of the log already, from a copy that was interrupted, gets the rest. It returns the
// number of entries in the second store. Errors are [*Error]: [ReasonCheckpoint] when the second has another log,
// [ReasonTruncated] when it has more of it. Verify the copy afterwards.
func Copy(ctx context.Context, to, from Store) (int64, error) {
	source, target := &Log{store: from}, &Log{store: to}
	size, err := source.Size(ctx)
	if err != nil {
		return 0, err
	}
	done, err := target.Size(ctx)
	if err != nil {
		return 0, err
	}
	before, err := target.root(ctx, done)
	if err != nil {
		return done, err
	}
	if err := source.Consistent(ctx, Checkpoint{Size: done, Root: before}); err != nil {
		return done, err
	}
	copied := map[string]bool{}
	for done < size {
		const step = 256
		entries, err := source.entries(ctx, done, int(min(step, size-done)))
		if err != nil {
			return done, err
		}
		if err := source.withHashes(ctx, done, entries); err != nil {
			return done, err
		}
		var deleted []int64
		named := walk{log: source}
		for i, e := range entries {
			read, err := source.read(ctx, e, false)
			if err != nil {
				return done, at(err, int(done)+i+1)
			}
			entries[i].Again = true // as the first log allowed it
			named.nameFiles(read.kept)
			if d, ok := deletionOf(read.kept.Note); ok && d.Index < done {
				deleted = append(deleted, d.Index)
			}
		}
		// Files first, so that after an interruption none is forgotten.
		for name := range named.files {
			if copied[name] {
				continue
			}
			if err := copyFile(ctx, target, source, name); err != nil {
				return done, err
			}
			copied[name] = true
		}
		if err := to.Append(ctx, done, entries); err != nil {
			return done, broken("append", err)
		}
		if err := to.DeleteHeld(ctx, deleted...); err != nil {
			return done, broken("held", err)
		}
		done += int64(len(entries))
	}
	return done, nil
}

// withHashes gives entries the hashes that they added to the tree.
func (l *Log) withHashes(ctx context.Context, first int64, entries []Entry) error {
	start := tlog.StoredHashCount(first)
	positions := make([]int64, tlog.StoredHashCount(first+int64(len(entries)))-start)
	for i := range positions {
		positions[i] = start + int64(i)
	}
	hashes, err := l.store.Hashes(ctx, positions)
	if err != nil || len(hashes) != len(positions) {
		return broken("hashes", errors.Join(errHashes, err))
	}
	for i := range entries {
		n := tlog.StoredHashCount(first+int64(i)+1) - tlog.StoredHashCount(first+int64(i))
		entries[i].Hashes, hashes = hashes[:n], hashes[n:]
	}
	return nil
}

// copyFile takes over a file of the archive; what was never put there is left out.
func copyFile(ctx context.Context, to, from *Log, name string) error {
	r, err := from.Archived(ctx, name)
	if errors.Is(err, &Error{Reason: ReasonAbsent}) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = to.Archive(ctx, r)
	return errors.Join(err, r.Close())
}
