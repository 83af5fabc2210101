package main

import (
	"bytes"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Licences that may be in the programs, each with words that no other one of the list has. All of them ask for their
// text to go with the program.
var mayBeIn = []struct{ name, words string }{
	{"Apache-2.0", "Apache License Version 2.0"},
	{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"BSD-3-Clause", "Neither the name of"},
	{"BSD-2-Clause", "Redistribution and use in source and binary forms"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose"},
}

// licenceOf names the licence of a text, "" for one that is not on the list.
func licenceOf(text []byte) string {
	words := strings.Join(strings.Fields(string(text)), " ")
	for _, l := range mayBeIn {
		if strings.Contains(words, l.words) {
			return l.name
		}
	}
	return ""
}

// licences prints the licences of all modules that are in the programs, and of the Go distribution.
func licences(w io.Writer, programs []string) error {
	if len(programs) == 0 {
		return errUsage
	}
	modules := map[string]bool{}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return err
		}
		for _, m := range info.Deps {
			modules[m.Path+"@"+m.Version] = true
		}
	}
	dirs := map[string]string{}
	for m := range modules {
		name, _, _ := strings.Cut(m, "@")
		dir, err := goOutput("list", "-m", "-f", "{{.Dir}}", name)
		if err != nil {
			return err
		}
		dirs[m] = dir
	}
	root, err := goOutput("env", "GOROOT")
	if err != nil {
		return err
	}
	dirs["the Go standard library"] = root
	names := make([]string, 0, len(dirs))
	for name := range dirs {
		names = append(names, name)
	}
	slices.Sort(names)
	var failed []error
	for _, name := range names {
		text, err := licenceText(dirs[name])
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
			continue
		}
		licence := licenceOf(text)
		if licence == "" {
			failed = append(failed, fmt.Errorf("%s: its licence is not on the list", name))
			continue
		}
		if _, err := fmt.Fprintf(w, "==== %s (%s)\n\n%s\n\n", name, licence, bytes.TrimSpace(text)); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

func licenceText(dir string) ([]byte, error) {
	for _, name := range []string{"LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING"} {
		text, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // a module's own
		if !errors.Is(err, os.ErrNotExist) {
			return text, err
		}
	}
	return nil, errors.New("no licence file")
}

func goOutput(args ...string) (string, error) {
	out, err := exec.Command("go", args...).Output() //nolint:gosec,noctx // a tool of the developer's
	return strings.TrimSpace(string(out)), err
}
