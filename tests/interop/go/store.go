package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/raft"
)

// storeArgs names a store: base is the directory above snapshots/.
type storeArgs struct {
	Base   string `json:"base"`
	Retain int    `json:"retain"`
}

func (args storeArgs) open() (*raft.FileSnapshotStore, error) {
	return raft.NewFileSnapshotStoreWithLogger(args.Base, args.Retain, logger())
}

// createArgs is a snapshot to be made.
type createArgs struct {
	storeArgs
	Index              uint64String `json:"index"`
	Term               uint64String `json:"term"`
	Servers            []wireServer `json:"servers"`
	ConfigurationIndex uint64String `json:"configurationIndex"`
	Content            content      `json:"content"`
}

// begin creates the snapshot and writes its state, but does not close it.
func (args createArgs) begin() (raft.SnapshotSink, error) {
	store, err := args.open()
	if err != nil {
		return nil, err
	}
	args.awaitFreshName()
	_, transport := raft.NewInmemTransport("")
	sink, err := store.Create(1, uint64(args.Index), uint64(args.Term),
		raft.Configuration{Servers: fromWireServers(args.Servers)},
		uint64(args.ConfigurationIndex), transport)
	if err != nil {
		return nil, err
	}
	_, err = sink.Write(args.Content.bytes())
	return sink, err
}

// awaitFreshName lets the clock pass the newest snapshot of this term and
// index: two in one millisecond share a name, and Go's store loses one.
func (args createArgs) awaitFreshName() {
	prefix := fmt.Sprintf("%d-%d-", args.Term, args.Index)
	entries, _ := os.ReadDir(filepath.Join(args.Base, "snapshots"))
	for _, entry := range entries {
		name, found := strings.CutPrefix(entry.Name(), prefix)
		taken, err := strconv.ParseInt(strings.TrimSuffix(name, ".tmp"), 10, 64)
		if found && err == nil {
			time.Sleep(time.Until(time.UnixMilli(taken + 1)))
		}
	}
}

type createAnswer struct {
	ID string `json:"id"`
}

func createInStore(args createArgs) (createAnswer, error) {
	sink, err := args.begin()
	if err != nil {
		return createAnswer{}, err
	}
	return createAnswer{sink.ID()}, sink.Close()
}

func cancelInStore(args createArgs) (createAnswer, error) {
	sink, err := args.begin()
	if err != nil {
		return createAnswer{}, err
	}
	return createAnswer{sink.ID()}, sink.Cancel()
}

const abandonCommand = "abandon"

// abandonInStore leaves the remains of a killed Go process: it takes a snapshot
// and kills itself meanwhile.
func abandonInStore(args createArgs) (createAnswer, error) {
	self, err := os.Executable()
	if err != nil {
		return createAnswer{}, err
	}
	input, err := json.Marshal(args)
	if err != nil {
		return createAnswer{}, err
	}
	child := exec.Command(self, abandonCommand)
	child.Stdin = bytes.NewReader(input)
	child.Stderr = os.Stderr
	id, err := child.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || len(id) == 0 {
		return createAnswer{}, fmt.Errorf("it was not killed: %w", err)
	}
	return createAnswer{string(id)}, nil
}

func abandonAndDie() {
	var args createArgs
	err := json.NewDecoder(os.Stdin).Decode(&args)
	if err == nil {
		var sink raft.SnapshotSink
		if sink, err = args.begin(); err == nil {
			fmt.Print(sink.ID())
			self, _ := os.FindProcess(os.Getpid())
			_ = self.Kill()
			select {} // a signal to oneself may take a moment
		}
	}
	fmt.Fprintln(os.Stderr, "interop:", err)
	os.Exit(0)
}

func listStore(args storeArgs) ([]wireMeta, error) {
	store, err := args.open()
	if err != nil {
		return nil, err
	}
	metas, err := store.List()
	if err != nil {
		return nil, err
	}
	wire := make([]wireMeta, len(metas))
	for i, meta := range metas {
		wire[i] = toWire(fileMeta{SnapshotMeta: *meta})
	}
	return wire, nil
}

type openArgs struct {
	storeArgs
	ID string `json:"id"`
}

type openAnswer struct {
	Meta   wireMeta `json:"meta"`
	Length int64    `json:"length"`
	SHA256 []byte   `json:"sha256"`
}

func openInStore(args openArgs) (openAnswer, error) {
	store, err := args.open()
	if err != nil {
		return openAnswer{}, err
	}
	meta, source, err := store.Open(args.ID)
	if err != nil {
		return openAnswer{}, err
	}
	defer source.Close()
	hash := sha256.New()
	length, err := io.Copy(hash, source)
	return openAnswer{toWire(fileMeta{SnapshotMeta: *meta}), length, hash.Sum(nil)}, err
}

func reapStore(args storeArgs) (bool, error) {
	store, err := args.open()
	if err != nil {
		return false, err
	}
	return true, store.ReapSnapshots()
}
