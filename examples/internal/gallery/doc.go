// Package gallery makes the pictures of docs/gallery.md: its test, under the build tag browser, starts every example as
// a reader would, visits it on a phone in both languages, looks at each page, and keeps a picture. Without more they go
// to the test's artifacts; with the directory in the environment they are the ones of the page:
//
//	KAKUNIN_GALLERY=$PWD/docs/gallery go test -tags browser -count=1 -run Gallery ./examples/internal/gallery
package gallery
