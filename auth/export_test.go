package auth

// DummyKeys are for the tests alone.
var DummyKeys = dummyKeys
