// Asks a server for a snapshot, or sends it one, with HashiCorp's own clients:
//
//	clients consul|vault save|restore URL FILE
package main

import (
	"fmt"
	"io"
	"os"

	consul "github.com/hashicorp/consul/api"
	vault "github.com/hashicorp/vault/api"
)

func main() {
	if len(os.Args) != 5 {
		fail(fmt.Errorf("expected consul|vault save|restore URL FILE"))
	}
	vendor, verb, url, path := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	steps := map[string]func(url, path string) error{
		"consul save":    consulSave,
		"consul restore": consulRestore,
		"vault save":     vaultSave,
		"vault restore":  vaultRestore,
	}
	step, ok := steps[vendor+" "+verb]
	if !ok {
		fail(fmt.Errorf("unknown: %s %s", vendor, verb))
	}
	if err := step(url, path); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func consulClient(url string) (*consul.Client, error) {
	config := consul.DefaultConfig()
	config.Address = url
	return consul.NewClient(config)
}

func consulSave(url, path string) error {
	client, err := consulClient(url)
	if err != nil {
		return err
	}
	snapshot, _, err := client.Snapshot().Save(nil)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	return writeFile(path, func(file io.Writer) error {
		_, err := io.Copy(file, snapshot)
		return err
	})
}

func consulRestore(url, path string) error {
	client, err := consulClient(url)
	if err != nil {
		return err
	}
	return readFile(path, func(file io.Reader) error {
		return client.Snapshot().Restore(nil, file)
	})
}

func vaultClient(url string) (*vault.Client, error) {
	config := vault.DefaultConfig()
	config.Address = url
	config.MaxRetries = 0
	return vault.NewClient(config)
}

func vaultSave(url, path string) error {
	client, err := vaultClient(url)
	if err != nil {
		return err
	}
	return writeFile(path, func(file io.Writer) error {
		return client.Sys().RaftSnapshot(file)
	})
}

func vaultRestore(url, path string) error {
	client, err := vaultClient(url)
	if err != nil {
		return err
	}
	return readFile(path, func(file io.Reader) error {
		return client.Sys().RaftSnapshotRestore(file, false)
	})
}

func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(file); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

func readFile(path string, read func(io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return read(file)
}
