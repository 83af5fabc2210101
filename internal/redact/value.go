package redact

import "unique"

// Value holds an optional value where neither package fmt nor an encoder finds it. fmt follows a pointer to a struct,
// array, slice or map when it prints one at the top or for a verb that does not fit pointers; it never follows a
// pointer to a pointer.
//
// A Value cannot be compared with ==, which would compare addresses and mislead; see [Comparable]. Copies share the
// value, which is not changed any more after [Seal].
type Value[T any] struct {
	_ [0]func()
	p **T
}

// Seal hides a value.
func Seal[T any](value T) Value[T] {
	p := &value
	return Value[T]{p: &p}
}

// Open returns the value, or the zero value and false when there is none.
func (v Value[T]) Open() (value T, ok bool) {
	if v.p == nil {
		return value, false
	}
	return **v.p, true
}

// Reveal returns the value, or the zero value when there is none.
func (v Value[T]) Reveal() T {
	value, _ := v.Open()
	return value
}

// Empty reports whether there is no value.
func (v Value[T]) Empty() bool { return v.p == nil }

// Comparable is a [Value] that can be compared with == and used as the key of a map: equal values are equal, and the
// zero Comparable holds the zero value. Only kinds that fmt does not look for behind a pointer can be hidden like this;
// turn an array into a string first.
type Comparable[T interface {
	~string | ~int | ~int64 | ~uint64
}] struct {
	handle unique.Handle[T]
}

// SealComparable hides a value.
func SealComparable[T interface {
	~string | ~int | ~int64 | ~uint64
}](value T) Comparable[T] {
	var zero T
	if value == zero {
		return Comparable[T]{}
	}
	return Comparable[T]{unique.Make(value)}
}

// Reveal returns the value.
func (c Comparable[T]) Reveal() (value T) {
	if c == (Comparable[T]{}) {
		return value
	}
	return c.handle.Value()
}
