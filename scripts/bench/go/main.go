// The original, measured as workload.ts measures ours: Go's hash/crc64, and the
// file store of hashicorp/raft.
package main

import (
	"encoding/json"
	"fmt"
	"hash/crc64"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

const mib = 1024 * 1024

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func filled(length int) []byte {
	bytes := make([]byte, length)
	for i := range bytes {
		bytes[i] = byte(i*31 + i>>8)
	}
	return bytes
}

func open(directory string, retain int) *raft.FileSnapshotStore {
	store, err := raft.NewFileSnapshotStoreWithLogger(directory, retain, hclog.NewNullLogger())
	must(err)
	return store
}

var configuration = raft.Configuration{Servers: []raft.Server{
	{Suffrage: raft.Voter, ID: "a", Address: "10.0.0.1:7000"},
}}

func create(store *raft.FileSnapshotStore, index uint64) raft.SnapshotSink {
	_, transport := raft.NewInmemTransport("")
	sink, err := store.Create(1, index, 3, configuration, 2, transport)
	must(err)
	return sink
}

func crc(_ string, bytes int) float64 {
	chunk := filled(mib)
	hash := crc64.New(crc64.MakeTable(crc64.ECMA))
	for range 64 {
		hash.Write(chunk)
	}
	start := time.Now()
	for range bytes / mib {
		hash.Write(chunk)
	}
	return time.Since(start).Seconds()
}

func write(directory string, bytes int) float64 {
	store := open(directory, 1)
	chunk := filled(mib)
	start := time.Now()
	sink := create(store, 1)
	for range bytes / mib {
		_, err := sink.Write(chunk)
		must(err)
	}
	must(sink.Close())
	return time.Since(start).Seconds()
}

func read(directory string, _ int) float64 {
	store := open(directory, 1)
	readNewest(store)
	start := time.Now()
	readNewest(store)
	return time.Since(start).Seconds()
}

func readNewest(store *raft.FileSnapshotStore) {
	metas, err := store.List()
	must(err)
	_, state, err := store.Open(metas[0].ID)
	must(err)
	buffer := make([]byte, mib)
	for {
		_, err := state.Read(buffer)
		if err == io.EOF {
			break
		}
		must(err)
	}
	must(state.Close())
}

func small(directory string, _ int) float64 {
	const count = 50
	store := open(directory, 2)
	state := filled(4096)
	index := uint64(0)
	saveAll := func() {
		for range count {
			index++
			sink := create(store, index)
			_, err := sink.Write(state)
			must(err)
			must(sink.Close())
		}
	}
	// The others are measured after as many.
	for range 10 {
		saveAll()
	}
	start := time.Now()
	saveAll()
	return time.Since(start).Seconds() / count
}

func list(directory string, _ int) float64 {
	store := open(directory, 1000)
	start := time.Now()
	_, err := store.List()
	must(err)
	return time.Since(start).Seconds()
}

func main() {
	measures := map[string]func(string, int) float64{
		"crc": crc, "write": write, "readAuto": read, "small": small, "list": list,
	}
	bytes := 0
	if len(os.Args) > 3 {
		var err error
		bytes, err = strconv.Atoi(os.Args[3])
		must(err)
	}
	seconds := measures[os.Args[1]](os.Args[2], bytes)
	must(json.NewEncoder(os.Stdout).Encode(map[string]float64{"seconds": seconds, "peakBytes": 0}))
}
