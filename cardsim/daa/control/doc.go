// Package control steers the simulated service over HTTP, for test suites in any language: it lets a visitor approve,
// cancel or mistype without a browser and without reading pages, chooses cards, unlocks and revokes them, moves the
// clock, turns knobs, rotates keys, and puts everything back.
//
//	handler, err := control.New(control.Config{Service: service, Token: token, Clock: clock})
//	mux.Handle(control.Path, handler)
//
// The surface is small and documented in openapi.json, which the handler serves at /control/openapi.json. Every request
// carries the token (Authorization: Bearer …), is JSON, and reaches the handler from this machine only. A login is one
// call: POST /control/visits with the authorization URL answers with the callback URL. See the Example.
//
// # Examples
//
// There is an example of [New].
//
// # Compatibility
//
// The paths and members in openapi.json stay. New ones may come; a program should ignore members that it does not know.
// Nothing is stored.
package control
