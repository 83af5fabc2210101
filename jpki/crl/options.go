package crl

import "github.com/kakunin-go/kakunin/internal/limits"

// Options say how a list is read; the zero value is right for most.
type Options struct {
	// MaxSize is the largest list that is read, in bytes; 0 or more than the module's own limit (4 GiB): that limit.
	MaxSize int64
	// AllowOddSerials accepts entries with a serial number that is zero or negative, which RFC 5280, 4.1.2.2 forbids to
	// issuers but asks users to handle. A negative number is never equal to a positive one.
	AllowOddSerials bool
	// Progress is called from the goroutine that reads, about once per megabyte, and while the index is made. It must
	// be quick.
	Progress func(Progress)
	// Size is the size of the list if the caller knows it, for Progress; 0: unknown.
	Size int64
}

// Progress says how far the reading of a list is.
type Progress struct {
	// Indexing is false while the list is read and checked, and true while the index is made, after the signature was
	// verified.
	Indexing bool
	// Done and Total count bytes of the list while it is read, and entries while the index is made. Total is 0 when it
	// is not known.
	Done, Total int64
}

func (o *Options) maxSize() int64 {
	if o.MaxSize > 0 && o.MaxSize < limits.CRL {
		return o.MaxSize
	}
	return limits.CRL
}
