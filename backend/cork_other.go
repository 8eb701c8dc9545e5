//go:build !linux

package backend

// cork is for Linux alone: elsewhere the FIN follows the reply a moment later.
func (c *conn) cork() {}
