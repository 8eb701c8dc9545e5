# RouterOS 7: paste this into a terminal, or /import it, with names and SECRET changed. The password is a
# token, or a password of the host. Redyn sees the IPv4 address; IPv6 is left as it is. What was sent last
# is kept in memory, and sent again after a restart. The CA of the server's certificate must be in
# /certificate.
/system script add name=redyn-update policy=read,write,test dont-require-permissions=no source={
    :global redynSent
    :local host "home.example.org"
    :local secret "SECRET"
    :local server "https://dyn.example.org"
    :local seen ([/tool fetch url="$server/myip" check-certificate=yes output=user as-value]->"data")
    :if ($seen != $redynSent) do={
        :local url "$server/nic/update\3Fhostname=$host&myipv4=$seen&myipv6=preserve"
        :local said ([/tool fetch url=$url user=$host password=$secret http-auth-scheme=basic check-certificate=yes output=user as-value]->"data")
        :if ([:pick $said 0 4] = "good" or [:pick $said 0 5] = "nochg") do={
            :set redynSent $seen
            :log info "redyn: $host has $seen"
        } else={
            :log warning "redyn: $said"
        }
    }
}
/system scheduler add name=redyn-update interval=5m on-event=redyn-update policy=read,write,test
