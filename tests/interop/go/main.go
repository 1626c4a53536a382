// Command interop answers questions about snapshots with HashiCorp Raft's own
// code, for the tests of @raft/snapshots to compare with their own answers.
//
// It reads one request a line from stdin and writes one answer a line to
// stdout, in order: {"verb":"store.list","args":{...}} is answered with
// {"value":...} or {"error":"..."}. Bytes, and strings that may not be UTF-8,
// are base64; 64-bit integers are decimal strings. It ends with its input.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/hashicorp/go-hclog"
)

type request struct {
	Verb string          `json:"verb"`
	Args json.RawMessage `json:"args"`
}

type answer struct {
	Value any    `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
}

type verb func(args json.RawMessage) (any, error)

var verbs = map[string]verb{
	"versions":         of(versions),
	"archive.accept":   of(acceptArchive),
	"archive.fixtures": of(writeArchiveFixtures),
	"archive.headers":  of(writeHeaders),
	"archive.read":     of(readArchive),
	"archive.restore":  of(restoreFromArchive),
	"archive.snapshot": of(snapshotToArchive),
	"archive.write":    of(writeArchive),
	"crc64":            of(crcOfRandom),
	"fixtures":         of(writeFixtures),
	"meta.decode":      of(decodeMetas),
	"meta.encode":      of(encodeMetas),
	"meta.reencode":    of(reencodeMeta),
	"node.apply":       of(applyToNode),
	"node.await":       of(awaitNode),
	"node.leader":      of(awaitLeader),
	"node.listen":      of(listenNodes),
	"node.snapshot":    of(snapshotNode),
	"node.start":       of(startNode),
	"node.state":       of(stateOfNode),
	"node.stop":        of(stopNode),
	"peers.decode":     of(decodeAllPeers),
	"peers.encode":     of(encodeAllPeers),
	"store.abandon":    of(abandonInStore),
	"store.cancel":     of(cancelInStore),
	"store.create":     of(createInStore),
	"store.list":       of(listStore),
	"store.open":       of(openInStore),
	"store.reap":       of(reapStore),
	"store.rounds":     of(takeRounds),
}

// of makes a verb of a function with arguments and a result of its own types.
func of[A, R any](f func(A) (R, error)) verb {
	return func(raw json.RawMessage) (any, error) {
		var args A
		if err := json.Unmarshal(raw, &args); err != nil {
			return nil, fmt.Errorf("bad arguments: %w", err)
		}
		return f(args)
	}
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == abandonCommand {
		abandonAndDie()
	}
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	requests := json.NewDecoder(bufio.NewReaderSize(in, 1<<20))
	buffered := bufio.NewWriterSize(out, 1<<20)
	answers := json.NewEncoder(buffered)
	for {
		var r request
		if err := requests.Decode(&r); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := answers.Encode(respond(r)); err != nil {
			return err
		}
		if err := buffered.Flush(); err != nil {
			return err
		}
	}
}

func respond(r request) answer {
	run, known := verbs[r.Verb]
	if !known {
		return answer{Error: "unknown verb " + r.Verb}
	}
	value, err := run(r.Args)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Value: value}
}

// logger keeps Raft quiet, unless INTEROP_LOG is set to look for a failure.
func logger() hclog.Logger {
	level := hclog.Off
	if os.Getenv("INTEROP_LOG") != "" {
		level = hclog.Debug
	}
	return hclog.New(&hclog.LoggerOptions{Name: "interop", Level: level})
}

type versionsAnswer struct {
	Go   string `json:"go"`
	Raft string `json:"raft"`
}

func versions(struct{}) (versionsAnswer, error) {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/hashicorp/raft" {
			return versionsAnswer{runtime.Version(), module.Version}, nil
		}
	}
	return versionsAnswer{}, fmt.Errorf("no version of raft in the binary")
}
