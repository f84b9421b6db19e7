#!/bin/sh
# Writes down whose X-Forwarded-For and X-Forwarded-Proto nginx believes: TRUSTED_PROXY, addresses or networks with
# spaces between them, or none; if it is not set, the host alone, as it is seen from this container.

set -eu
file=${1:-/tmp/trusted-proxy.conf}
proxies=${TRUSTED_PROXY:-$(ip route | awk '/^default/ { print $3; exit }')}
[ "$proxies" != none ] || proxies=

for one in $proxies; do
    echo "set_real_ip_from $one;"
done > "$file"
{
    echo "geo \$realip_remote_addr \$from_proxy {"
    echo "    default no;"
    for one in $proxies; do
        echo "    $one yes;"
    done
    echo "}"
} >> "$file"
