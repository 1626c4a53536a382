package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// machine is a key-value store: a command is "key=value", and the state is a
// line of that form for each key, sorted.
type machine struct {
	mutex    sync.Mutex
	changed  *sync.Cond
	values   map[string]string
	applied  uint64
	restores int
}

func newMachine() *machine {
	m := &machine{values: map[string]string{}}
	m.changed = sync.NewCond(&m.mutex)
	return m
}

// Apply implements raft.FSM.
func (m *machine) Apply(log *raft.Log) any {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	key, value, _ := strings.Cut(string(log.Data), "=")
	m.values[key] = value
	m.applied = log.Index
	m.changed.Broadcast()
	return nil
}

// Restore implements raft.FSM.
func (m *machine) Restore(source io.ReadCloser) error {
	defer source.Close()
	values := map[string]string{}
	lines := bufio.NewScanner(source)
	for lines.Scan() {
		key, value, found := strings.Cut(lines.Text(), "=")
		if !found {
			return fmt.Errorf("bad line %q", lines.Text())
		}
		values[key] = value
	}
	if err := lines.Err(); err != nil {
		return err
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.values = values
	m.restores++
	m.changed.Broadcast()
	return nil
}

// Snapshot implements raft.FSM.
func (m *machine) Snapshot() (raft.FSMSnapshot, error) { return state(m.state()), nil }

func (m *machine) state() []byte {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	lines := make([]string, 0, len(m.values))
	for key, value := range m.values {
		lines = append(lines, key+"="+value+"\n")
	}
	sort.Strings(lines)
	return []byte(strings.Join(lines, ""))
}

// await waits until the machine satisfies the condition.
func (m *machine) await(reached func() bool, timeout time.Duration) error {
	expired := false
	timer := time.AfterFunc(timeout, func() {
		m.mutex.Lock()
		defer m.mutex.Unlock()
		expired = true
		m.changed.Broadcast()
	})
	defer timer.Stop()
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for !reached() && !expired {
		m.changed.Wait()
	}
	if !reached() {
		return fmt.Errorf("not reached in %v: %d applied, %d restores",
			timeout, m.applied, m.restores)
	}
	return nil
}

// state is a state that does not change any more.
type state []byte

// Persist implements raft.FSMSnapshot.
func (s state) Persist(sink raft.SnapshotSink) error {
	if _, err := io.Copy(sink, bytes.NewReader(s)); err != nil {
		return err
	}
	return sink.Close()
}

// Release implements raft.FSMSnapshot.
func (s state) Release() {}
