package auth

// dummyKeys are nobody's: their private halves were never kept (openssl genpkey | openssl pkey
// -pubout). Strangers' signatures are verified with them, so that nobody sees which kind of key a
// host has, or whether it has one.
var dummyKeys = [classes]string{
	classRSA: `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA8FcA6B3B+jWv5TMBcfte
UEZj4c6r+6pplnlnpLdg6sHp1n2K+UmX8yIaKCcuHJ25xiNPK95Koi6ku+y8i1y2
HorMNyHur58mv1MsrWarcQcnStEVI4MU6wN4MIyk6TOEcI/6iqDFqLxffOO9jMGK
QnSFMusWamL19uM+uL2Te5owczq+RHF08hUUECoXilmxrC3Z9YcfboFnUmYiXlAG
lb8cRCFbt1Gq9jQuUFCt8jPxSdy/m949n4RoSimRMktHA7cLhkAXbZdZY9SaQWze
gfwRl5HrmiYzsTuPm8zrVp+xyubVzBb6Qsz/PLDjAGNueYEFRObptC25rQiQYAEN
OwIDAQAB
-----END PUBLIC KEY-----`,
	classEd25519: `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA7cty4E9YCDFTRIlZrVB1Fnn99Sno35eXAc2mvcKUu2A=
-----END PUBLIC KEY-----`,
	classP256: `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0NRh6Ataun4xGIYNVBTuPr9C2tEO
gSlnt3dGZjge5E/ucUWZ/dcW2oHCxhRnhNsVPri3JugMs8UA4rDqY0USUw==
-----END PUBLIC KEY-----`,
	classP384: `-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEo+GycHOTIxd5RJViq6P0tSZj3hOLti/Q
+hZcz3zBX+UczEzNApVSSfHyJD7MvFzcBj679T3RgSaOVAZtDwybp17Hxut+W3YQ
6VFp1nWI5ItE8pU5AOvmoafaeiL0WRCD
-----END PUBLIC KEY-----`,
}
