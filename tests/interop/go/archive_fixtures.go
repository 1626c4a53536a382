package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// The golden archives are made by raft-snapshot of snapshots in Go's store.

// archiveCases are the archives: each is a snapshot, and how it is packed.
var archiveCases = []struct {
	name   string
	change func(*createArgs)
	level  int
	sealed bool
}{
	{name: "consul", level: -1},
	{name: "vault", level: 0, sealed: true},
	{name: "empty_state", level: -1, change: func(args *createArgs) { args.Content.Length = 0 }},
	{name: "whole_blocks", level: 9, change: func(args *createArgs) { args.Content.Length = 4096 }},
	{name: "no_servers", level: 1, change: func(args *createArgs) { args.Servers = []wireServer{} }},
	{name: "largest_integers", level: -1, change: func(args *createArgs) {
		const most = uint64String(1<<64 - 1)
		args.Index, args.Term, args.ConfigurationIndex = most, most, most
	}},
	{name: "strange_servers", level: -1, change: func(args *createArgs) {
		args.Servers = []wireServer{
			{0, []byte("<a&b>"), []byte("\u2028:1")},
			{1, []byte("Zürich 東京 🛟"), []byte("[::1]:8300")},
			{2, []byte("\"quoted\" \\back\\\x00"), nil},
		}
	}},
}

type goldenArchive struct {
	Name   string `json:"name"`
	Sealed bool   `json:"sealed"`
	openAnswer
}

type goldenArchives struct {
	versionsAnswer
	Archives []goldenArchive `json:"archives"`
}

func writeArchiveFixtures(args fixturesArgs) (bool, error) {
	versions, err := versions(struct{}{})
	if err != nil {
		return false, err
	}
	all := goldenArchives{versionsAnswer: versions}
	base, err := os.MkdirTemp("", "interop")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(base)
	for _, one := range archiveCases {
		create := usual(base)
		if one.change != nil {
			one.change(&create)
		}
		created, err := createInStore(create)
		if err != nil {
			return false, err
		}
		path := filepath.Join(args.Directory, one.name+".snap")
		write := writeArchiveArgs{openArgs{create.storeArgs, created.ID}, path, one.level, one.sealed}
		if _, err := writeArchive(write); err != nil {
			return false, err
		}
		read, err := readArchive(archiveArgs{path})
		if err != nil {
			return false, err
		}
		all.Archives = append(all.Archives, goldenArchive{one.name, one.sealed, read})
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return false, err
	}
	return true, os.WriteFile(filepath.Join(args.Directory, "golden.json"), append(text, '\n'), 0o644)
}
