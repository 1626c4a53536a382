package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"
)

// The golden fixtures are stores that Go wrote, and the results of Go's reading
// them. The runtimes use them on machines without Go.

type fixturesArgs struct {
	Directory string `json:"directory"`
}

// goldenStore has the results of Go for one of the stores.
type goldenStore struct {
	Name      string           `json:"name"`
	Snapshots []goldenSnapshot `json:"snapshots"`
}

type goldenSnapshot struct {
	Meta   wireMeta `json:"meta"`
	SHA256 []byte   `json:"sha256"`
	// Peers is raft's configuration for a snapshot that has no Configuration.
	Peers []wireServer `json:"peers"`
}

type golden struct {
	versionsAnswer
	Stores []goldenStore `json:"stores"`
}

// writers write the stores, each into a base of its own.
var writers = []struct {
	name  string
	write func(base string) error
}{
	{"states", writeStates},
	{"integers", writeIntegers},
	{"servers", writeServers},
	{"retained", writeRetained},
	{"killed", writeKilled},
	{"version_0", writeVersion0},
	{"raft_node", writeRaftNode},
}

func writeFixtures(args fixturesArgs) (bool, error) {
	versions, err := versions(struct{}{})
	if err != nil {
		return false, err
	}
	all := golden{versionsAnswer: versions}
	for _, w := range writers {
		base := filepath.Join(args.Directory, w.name)
		if err := w.write(base); err != nil {
			return false, fmt.Errorf("%s: %w", w.name, err)
		}
		snapshots, err := readGolden(base)
		if err != nil {
			return false, fmt.Errorf("%s: %w", w.name, err)
		}
		all.Stores = append(all.Stores, goldenStore{w.name, snapshots})
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return false, err
	}
	path := filepath.Join(args.Directory, "golden.json")
	return true, os.WriteFile(path, append(text, '\n'), 0o644)
}

// readGolden lists and opens the snapshots with Go.
func readGolden(base string) ([]goldenSnapshot, error) {
	store := storeArgs{base, 1_000_000}
	metas, err := listStore(store)
	if err != nil {
		return nil, err
	}
	snapshots := make([]goldenSnapshot, len(metas))
	for i, meta := range metas {
		opened, err := openInStore(openArgs{store, string(meta.ID)})
		if err != nil {
			return nil, err
		}
		if meta.CRC, err = readCRC(base, string(meta.ID)); err != nil {
			return nil, err
		}
		peers := decodeOnePeers(meta.Peers)
		snapshots[i] = goldenSnapshot{meta, opened.SHA256, peers.Servers}
	}
	return snapshots, nil
}

// readCRC reads the CRC, which the store checks but does not export.
func readCRC(base, id string) ([]byte, error) {
	file, err := os.Open(filepath.Join(base, "snapshots", id, "meta.json"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	meta, err := decodeMeta(file)
	return meta.CRC, err
}

func usual(base string) createArgs {
	return createArgs{
		storeArgs:          storeArgs{base, 1_000_000},
		Index:              10,
		Term:               3,
		Servers:            []wireServer{{0, []byte("my id"), []byte("over here")}},
		ConfigurationIndex: 2,
		Content:            content{1, 13},
	}
}

func writeStates(base string) error {
	for i, length := range []int{0, 1, 13, 4095, 4096, 4097, 20_000} {
		args := usual(base)
		args.Index = uint64String(i + 1)
		args.Content = content{uint32(i), length}
		if _, err := createInStore(args); err != nil {
			return err
		}
	}
	return nil
}

func writeIntegers(base string) error {
	for _, integer := range []uint64String{0, 1<<53 - 1, 1 << 53, 1<<53 + 1, 1 << 63, 1<<64 - 1} {
		args := usual(base)
		args.Index, args.Term, args.ConfigurationIndex = integer, integer, integer
		if _, err := createInStore(args); err != nil {
			return err
		}
	}
	return nil
}

func writeServers(base string) error {
	hostile := []string{
		"", " ", "null", "../../etc", "[::1]:8300", `"quoted" \back\`,
		"<script>&amp;</script>", "a\u2028b\u2029c",
		"\x00\x01\x07\b\t\n\v\f\r\x1b\x1f\x7f", "Zürich 東京 🛟", "\ufeffmark",
		"\ufffd\uffff", "no \xff UTF-8 \xed\xa0\x80", "\U0010ffff",
	}
	var strange, many []wireServer
	for i, text := range hostile {
		strange = append(strange, wireServer{1, []byte(text), []byte(hostile[len(hostile)-1-i])})
	}
	for i := range 17 {
		many = append(many, wireServer{int64(i % 3), fmt.Appendf(nil, "id %d", i), fmt.Appendf(nil, "10.0.0.%d:7000", i)})
	}
	long := make([]byte, 300)
	for i := range long {
		long[i] = 'a' + byte(i%26)
	}
	lists := [][]wireServer{
		nil,
		{},
		{{1, []byte("n"), []byte("nonvoter:1")}},
		{{0, []byte("31"), long[:31]}, {0, []byte("32"), long[:32]}, {0, []byte("300"), long}},
		many,
		strange,
	}
	for i, servers := range lists {
		args := usual(base)
		args.Index, args.Servers = uint64String(i+1), servers
		if _, err := createInStore(args); err != nil {
			return err
		}
	}
	return nil
}

func writeRetained(base string) error {
	for _, index := range []uint64String{1, 2, 9, 10, 11} {
		args := usual(base)
		args.Retain, args.Index = 3, index
		if _, err := createInStore(args); err != nil {
			return err
		}
	}
	return nil
}

func writeKilled(base string) error {
	args := usual(base)
	if _, err := createInStore(args); err != nil {
		return err
	}
	args.Index, args.Content.Length = 20, 5000
	_, err := abandonInStore(args)
	return err
}

// writeVersion0 writes the metadata of raft before it had versions, which no
// release in use can write.
func writeVersion0(base string) error {
	const id = "3-10-1451606400000"
	directory := filepath.Join(base, "snapshots", id)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	state := content{1, 13}.bytes()
	configuration := raft.Configuration{Servers: []raft.Server{
		{ID: "10.0.0.1:7000", Address: "10.0.0.1:7000"},
		{ID: "10.0.0.2:7000", Address: "10.0.0.2:7000"},
	}}
	meta := encodeMeta(&oldMeta{
		ID: id, Index: 10, Term: 3, Size: int64(len(state)),
		Peers: encodePeers(configuration, transport),
		CRC:   crcBytes(state),
	})
	if err := os.WriteFile(filepath.Join(directory, "meta.json"), meta, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, "state.bin"), state, 0o644)
}

// writeRaftNode has a node of one take two snapshots.
func writeRaftNode(base string) error {
	addresses, err := listenNodes(listenArgs{1})
	if err != nil {
		return err
	}
	address := nodeArgs{addresses[0]}
	if _, err := startNode(startArgs{nodeArgs: address, storeArgs: storeArgs{base, 2}, ID: "a"}); err != nil {
		return err
	}
	n := nodes[addresses[0]]
	self := raft.Server{ID: "a", Address: n.transport.LocalAddr()}
	if err := n.raft.BootstrapCluster(raft.Configuration{Servers: []raft.Server{self}}).Error(); err != nil {
		return err
	}
	if _, err := awaitLeader(leaderArgs{addresses}); err != nil {
		return err
	}
	for round := range 2 {
		commands := make([]string, 20)
		for i := range commands {
			commands[i] = fmt.Sprintf("key %d=value %d", i, round)
		}
		if _, err := applyToNode(applyArgs{address, commands}); err != nil {
			return err
		}
		if _, err := snapshotNode(address); err != nil {
			return err
		}
	}
	if _, err := stopNode(address); err != nil {
		return err
	}
	return os.Remove(filepath.Join(base, "raft.db")) // the fixture needs no log
}
