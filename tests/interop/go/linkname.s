// Go allows functions without a body, as peers.go has them, in packages that
// have an assembly file.
