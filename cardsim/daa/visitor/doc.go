// Package visitor is the person at the simulated service: somebody with a browser, a phone, a card and its PINs, driven
// over HTTP. There is no browser engine and no sleeping, so that a whole login takes milliseconds.
//
// Most tests get a [Person] from daa.Running.Visitor and let it [Person.Approve], [Person.Cancel] or
// [Person.MistypePIN]. A Person of one's own works against a service in another process, or one of another make, as
// long as it needs no pages. See the Example of daa.Running.Visitor.
//
// # Examples
//
// There is an example of [Person].
//
// # Compatibility
//
// A Person finds its way by the markers (data-kakunin-…) in the pages, not by their texts. Nothing is stored.
package visitor
