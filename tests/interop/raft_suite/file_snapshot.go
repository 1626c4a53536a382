// A FileSnapshotStore for the tests of github.com/hashicorp/raft that keeps its
// snapshots in the store of @raft/snapshots. scripts/raft_suite/ puts this file
// in the place of the module's file_snapshot.go, so that the module's own tests
// run on that store. It has the exported names of the file that it replaces,
// and the two others that the module uses elsewhere: noSync and snapshotName.
//
// Each call is a connection to the server of server.ts: see store_connection.go.
package raft

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	hclog "github.com/hashicorp/go-hclog"
)

// FileSnapshotStore is the store in one directory.
type FileSnapshotStore struct {
	base   string
	retain int
	logger hclog.Logger

	// noSync is set by the tests; the store behind the socket always syncs.
	noSync bool
}

// FileSnapshotSink writes one snapshot.
type FileSnapshotSink struct {
	id     string
	logger hclog.Logger
	server *storeConnection
	closed bool
}

// NewFileSnapshotStoreWithLogger opens the store in the directory base.
func NewFileSnapshotStoreWithLogger(base string, retain int, logger hclog.Logger) (*FileSnapshotStore, error) {
	if logger == nil {
		logger = hclog.Default()
	}
	base, err := filepath.Abs(base)
	if err != nil {
		return nil, err
	}
	store := &FileSnapshotStore{base: base, retain: retain, logger: logger}
	if err := store.call("open", nil); err != nil {
		return nil, err
	}
	return store, nil
}

// NewFileSnapshotStore opens the store in the directory base, and logs to
// logOutput, or to stderr when that is nil.
func NewFileSnapshotStore(base string, retain int, logOutput io.Writer) (*FileSnapshotStore, error) {
	if logOutput == nil {
		logOutput = os.Stderr
	}
	logger := hclog.New(&hclog.LoggerOptions{Name: "snapshot", Output: logOutput})
	return NewFileSnapshotStoreWithLogger(base, retain, logger)
}

// snapshotName makes an ID for raft's InmemSnapshotStore; the store behind the
// socket makes its own.
func snapshotName(term, index uint64) string {
	return fmt.Sprintf("%d-%d-%d", term, index, time.Now().UnixMilli())
}

// Create begins a snapshot.
func (f *FileSnapshotStore) Create(version SnapshotVersion, index, term uint64,
	configuration Configuration, configurationIndex uint64, _ Transport) (SnapshotSink, error) {
	request := f.request("create")
	request.Meta = toStoreMeta(SnapshotMeta{
		Version:            version,
		Index:              index,
		Term:               term,
		Configuration:      configuration,
		ConfigurationIndex: configurationIndex,
	})
	var created struct{ ID string }
	server, err := f.start(request, &created)
	if err != nil {
		return nil, err
	}
	return &FileSnapshotSink{id: created.ID, logger: f.logger, server: server}, nil
}

// List gives the newest snapshots, at most as many as are retained.
func (f *FileSnapshotStore) List() ([]*SnapshotMeta, error) {
	var wire []storeMeta
	if err := f.call("list", &wire); err != nil {
		return nil, err
	}
	var metas []*SnapshotMeta
	for _, meta := range wire {
		metas = append(metas, meta.toGo())
	}
	return metas, nil
}

// Open opens a snapshot; the caller must close the reader.
func (f *FileSnapshotStore) Open(id string) (*SnapshotMeta, io.ReadCloser, error) {
	request := f.request("read")
	request.ID = id
	var meta storeMeta
	server, err := f.start(request, &meta)
	if err != nil {
		return nil, nil, err
	}
	return meta.toGo(), &storeState{server: server}, nil
}

// ReapSnapshots removes the snapshots beyond the number to retain.
func (f *FileSnapshotStore) ReapSnapshots() error {
	return f.call("reap", nil)
}

// ID is the snapshot's ID, for Open once the sink is closed.
func (s *FileSnapshotSink) ID() string {
	return s.id
}

// Write appends to the state. The store's errors are Close's to report.
func (s *FileSnapshotSink) Write(b []byte) (int, error) {
	rest := b
	for len(rest) > 0 {
		frame := rest
		if len(frame) > storeFrameSizeMax {
			frame = frame[:storeFrameSizeMax]
		}
		if err := s.server.send(storeFrameData, frame); err != nil {
			return len(b) - len(rest), err
		}
		rest = rest[len(frame):]
	}
	return len(b), nil
}

// Close publishes the snapshot.
func (s *FileSnapshotSink) Close() error {
	return s.end(storeFrameClose)
}

// Cancel gives the snapshot up.
func (s *FileSnapshotSink) Cancel() error {
	return s.end(storeFrameCancel)
}

// end ends the snapshot; a second call does nothing, as in Go's store.
func (s *FileSnapshotSink) end(kind byte) error {
	if s.closed {
		return nil
	}
	s.closed = true
	defer s.server.close()
	if err := s.server.send(kind, nil); err != nil {
		return err
	}
	err := s.server.receiveAnswer(nil)
	if err != nil {
		s.logger.Error("failed to end the snapshot", "id", s.id, "error", err)
	}
	return err
}

func (f *FileSnapshotStore) request(verb string) storeRequest {
	return storeRequest{Verb: verb, Base: f.base, Retain: f.retain}
}

// call makes a request that one answer completes.
func (f *FileSnapshotStore) call(verb string, answer any) error {
	server, err := f.start(f.request(verb), answer)
	if err != nil {
		return err
	}
	return server.close()
}

// start makes a request, and leaves the connection open.
func (f *FileSnapshotStore) start(request storeRequest, answer any) (*storeConnection, error) {
	server, err := dialStore()
	if err == nil {
		if err = server.sendRequest(request); err == nil {
			err = server.receiveAnswer(answer)
		}
		if err != nil {
			_ = server.close()
		}
	}
	if err != nil {
		f.logger.Error("the store's server refused", "verb", request.Verb, "error", err)
	}
	return server, err
}
