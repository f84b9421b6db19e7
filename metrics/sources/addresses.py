"""Classification of IP addresses: public ones, and ones that only the neighbourhood has.

The networks are those of IANA's registries of special-purpose addresses
(https://www.iana.org/assignments/iana-ipv4-special-registry/, …/iana-ipv6-special-registry/), and where the
large clouds answer questions about the machine and its credentials.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

METADATA = "cloud metadata"
PRIVATE = "private"
KINDS = {
    METADATA: ("169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    "loopback": ("127.0.0.0/8", "::1"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    PRIVATE: ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "unspecified": ("0.0.0.0/8", "::"),
    "reserved": (
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("240.0.0.0/4", "2001::/23", "2001:db8::/32", "3fff::/20"),
    ),
}
NETWORKS = {kind: [ip_network(one) for one in networks] for kind, networks in KINDS.items()}
GIVEN_OUT = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")


def kind_of(address: str) -> str:
    """Return the word for an address that is not public, and "" for a public one; ValueError if it is no address."""
    ip = _carried(ip_address(address))
    for kind, networks in NETWORKS.items():
        if any(ip in network for network in networks):
            return kind
    return "reserved" if isinstance(ip, IPv6Address) and ip not in GIVEN_OUT else ""


def _carried(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64), else the address itself."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
