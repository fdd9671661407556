"""Well-known names of source packages, by family, for sample composes."""

from typing import Final

CORE: Final = """
kernel glibc bash systemd openssl tzdata python3.12 pacemaker kernel-rt dnf texlive perl-libwww-perl acl alsa-lib at
attr audit authselect autogen avahi bc bind binutils bluez boom-boot brotli bubblewrap bzip2 ca-certificates c-ares
centos-release centos-stream-release checkpolicy chkconfig chrony cifs-utils compat-openssl11 coreutils cpio
cracklib crash cronie crypto-policies cryptsetup cups-filters curl cyrus-sasl dbus dbus-broker
device-mapper-multipath device-mapper-persistent-data dhcp diffutils dmidecode dosfstools dracut e2fsprogs ed
efibootmgr efivar elfutils ethtool expat fcoe-utils file filesystem findutils firewalld fonts-rpm-macros freetype
fuse fuse3 fwupd gawk gcc gdbm gettext glib2 gmp gnupg2 gnutls gobject-introspection gpgme grep groff grub2 grubby
gzip hdparm hostname hwdata hwloc icu ima-evm-utils initscripts insights-client intel-cmt-cat iproute iprutils
iptables iputils ipset irqbalance iscsi-initiator-utils iw jansson jose json-c json-glib kbd keyutils kexec-tools
kmod kpatch krb5 ldns ledmon less linux-firmware lldpad lm_sensors logrotate lshw lsof lsscsi lua lvm2 lz4 lzo lzop
mailcap make man-db man-pages mcelog mdadm microcode_ctl mokutil mpfr mtools mtr nano ncurses nettle net-tools
NetworkManager newt nfs-utils nftables nghttp2 npth nspr nss numactl numatop nvme-cli nvmetcli oddjob opa-fm
openldap openssh opensm os-prober p11-kit pam parted passwd patch pciutils pcre pcre2 perl pigz policycoreutils
polkit popt portreserve postfix ppp prefixdevname procps-ng protobuf-c ps_mem psacct psmisc publicsuffix-list quota
quota-nls rasdaemon readline realmd rng-tools rootfiles rpcbind rpm rpm-ostree rsync rsyslog s390utils samba sed
selinux-policy setools setserial setup sg3_utils shadow-utils shared-mime-info shim slang smartmontools snappy sos
sqlite squashfs-tools sssd stalld star strace stunnel subscription-manager sudo symlinks sysfsutils syslinux sysstat
tar tbb tboot tcl tcpdump tcsh teamd texinfo time tmpwatch tpm2-tools tpm2-tss traceroute tree trousers tuna tuned
unbound unzip usbguard usbutils usermode userspace-rcu util-linux vdo vim virt-what volume_key wget which whois
words wpa_supplicant x3270 xfsdump xfsprogs xmlrpc-c xz yajl zip zlib zsh zstd 389-ds-base 7zip a52dec
abattis-cantarell-fonts accountsservice acpica-tools adcli aide alsa-firmware alsa-plugins alsa-tools alsa-utils
anaconda anaconda-user-help annobin ansible-core ansible-freeipa ant anthy-unicode apr apr-util argparse-manpage
asciidoc aspell aspnetcore at-spi2-core atkmm augeas autoconf autoconf-archive autofs automake autotrace babl baobab
bats bcc bcel bison blas blivet-gui bmap-tools bogofilter bolt boost bpftrace bpftool brasero brlapi brltty buildah
butane byacc byteman cairo cairomm capstone castxml catch2 cdparanoia cdrdo celt051 cheese chromaprint cjose clang
cloud-init cloud-utils-growpart clucene-core clutter clutter-gst3 clutter-gtk cmake cockpit cockpit-composer
cockpit-files cockpit-image-builder cockpit-machines cockpit-podman cogl colord colord-gtk color-filesystem
compiler-rt conmon console-login-helper-messages container-selinux containernetworking-plugins containers-common
convmv coreos-installer corosync-qdevice cppcheck cppunit criu criu-ns crun cscope ctags cups cups-pk-helper
cyrus-imapd daxctl dblatex dbus-glib dbus-python dconf dconf-editor debugedit dejagnu dejavu-fonts delve
desktop-file-utils devhelp dialog diffstat dirsplit dnsmasq dnssec-trigger docbook-dtds docbook-style-dsssl
docbook-style-xsl docbook-utils docbook5-style-xsl dotconf dotnet8.0 dotnet9.0 dovecot doxygen dpdk driverctl drgn
dwz dyninst edk2 egl-wayland egl-utils eglexternalplatform elinks emacs emacs-auctex enchant2 enscript eog espeak-ng
evemu evince evolution evolution-data-server evolution-ews evolution-mapi exempi exiv2 fabtests fakechroot fapolicyd
fdupes fetchmail fftw file-roller fio firefox flac flatpak flatpak-builder flatpak-xdg-utils flex flexiblas flite
fontconfig fontforge foomatic foomatic-db freeglut freeipa freeipmi freeradius freerdp frei0r-plugins frr fstrm ftp
fuse-overlayfs fuse-sshfs gamin gc gcab gcc-toolset-14 gcc-toolset-15 gcr gcr3 gd gdb gdk-pixbuf2 gedit
gedit-plugins gegl04 geoclue2 geocode-glib geolite2 ghostscript giflib gimp git git-lfs gjs glade glib-networking
glibmm2.4 glm glslang glusterfs glyphicons-halflings-fonts gnu-efi gnuplot go-rpm-macros go-toolset golang gom
google-benchmark google-crc32c google-droid-fonts gperf gperftools gpm grafana grafana-pcp grafana-selinux graphene
graphite2 graphviz greenboot grilo grilo-plugins gsl gsm gsound gspell gssdp gssproxy gtest gtk-doc gtk-vnc gtk2
gtk3 gtk4 gtkmm3.0 gtksourceview4 gtkspell gubbi-fonts guile22 gupnp gupnp-av gupnp-dlna gutenprint gvfs
gvisor-tap-vsock ha-cloud-support hamcrest haproxy harfbuzz help2man hexchat hexedit hfsplus-tools highlight hivex
hplip http-parser httpd httpd-init hyperv-daemons hyphen ibus ibus-anthy ibus-chewing ibus-hangul ibus-kkc
ibus-libpinyin ibus-libzhuyin ibus-m17n ibus-table ibus-table-chinese ibus-typing-booster icoutils idm-pki ignition
iio-sensor-proxy ilmbase ImageMagick imath inih initial-setup inkscape inotify-tools intel-gpu-tools
intel-media-driver intltool iowatcher iperf3 ipmitool ipxe irssi isl iso-codes isomd5sum isns-utils itstool jaf
jasper javapackages-tools jaxb jbig2dec jbigkit jboss-jaxrs jemalloc jigawatts jitterentropy jq jss jvnet-parent
kdump-anaconda-addon keepalived kernelshark keycloak-httpd-client-install khmer-os-fonts kmodtool koan
koji-containerbuild ksc kyotocabinet ladspa langtable lapack lasso latencytop latex2html latrace lcms2 ldapjdk leapp
leapp-repository lensfun leptonica lftp lilv lksctp-tools lld lldb llvm lmdb lockdev log4j logwatch lorax
lorax-templates lpsolve lrzsz ltrace lttng-ust lua-lpeg lua-posix luksmeta lv2 lynx m17n-db m17n-lib m4 macvtap
mailman mallard-rng man-pages-overrides mariadb mariadb-connector-c mariadb-connector-odbc marisa maven
maven-archiver mc mecab mecab-ipadic media-player-info memcached memkind memstrack memtest86+ mercurial meson
metacity metis micropipenv minicom minizip mksh mobile-broadband-provider-info mockito mod_auth_gssapi
mod_auth_mellon mod_auth_openidc mod_authnz_pam mod_fcgid mod_http2 mod_intercept_form_submit mod_jk
mod_lookup_identity mod_md mod_proxy_cluster mod_security mod_security_crs mod_wsgi modulemd-tools motif mousetweaks
mozilla-filesystem mpage mpdecimal mpg123 mpich mrtg mstflint mtdev mtx munge mutt mutter mvapich2 mysql
mysql-selinux nasm nautilus nbdkit ncompress ndctl ndisc6 neon net-snmp netavark netlabel_tools netpbm newt-python
nginx ninja-build nmap nmstate node-exporter nss-altfiles nss-pam-ldapd nss_nis nss_wrapper ntfs-3g numad numpy nvml
objectweb-asm ocaml oci-seccomp-bpf-hook oci-umount omping ongres-scram oniguruma open-sans-fonts open-vm-tools
openblas openblas-srpm-macros opencryptoki opendnssec openexr openjade openjpeg2 openmpi openscap openslp openwsman
optipng opus opus-tools orc orca ORBit2 osbuild osbuild-composer osinfo-db osinfo-db-tools ostree overpass-fonts
owasp-java-encoder pacrunner pam_cifscreds pam_ssh_agent_auth pam_wrapper pango pangomm papi paps
paratype-pt-sans-fonts parfait passt patchelf patchutils pcaudiolib pcm pcp perftest pesign pg_repack pgaudit
pgvector php php-pear picolibc pidgin pinentry pinfo pipewire pixman pki-core plexus-pom plotutils plymouth pmdk
pmix pngquant podman podman-desktop poppler poppler-data portaudio postgres-decoderbufs postgresql postgresql-jdbc
postgresql-odbc potrace power-profiles-daemon powertop pptp procmail protobuf psutils ptouch-driver pulseaudio
purple-hangouts pybind11 pykickstart pyproject-rpm-macros pyproject-srpm-macros qemu-kvm qatengine qatlib qatzip
qgnomeplatform qpdf qperf qhull quagga radvd ragel raptor2 rarian rasqal rear recode redhat-rpm-config redis redland
relaxngcc relaxngDatatype resteasy rhel-system-roles rhc rig rlwrap ronn rpmdevtools rpmlint rtkit rtla ruby runc
rust rust-srpm-macros s-nail sanlock sassist satyr sblim-cmpi-base sblim-gather sblim-sfcb sblim-wbemcli sbc scala
scap-security-guide scap-workbench schroedinger scipy screen scrub SDL2 seabios seahorse sendmail sevctl
setroubleshoot setroubleshoot-plugins setxkbmap sgml-common sid signon sip6 sisu skkdic skopeo SLOF slapi-nis slf4j
slirp4netns smc-tools snakeyaml socat softhsm sombok sound-theme-freedesktop soundtouch source-highlight
spamassassin speech-dispatcher speex speexdsp spice spice-gtk spice-protocol spice-vdagent spirv-headers spirv-tools
squid sscg stax-ex stix-fonts stratisd stratis-cli subversion suitesparse sushi svrcore swig switcheroo-control
swtpm synce4l syncthing system-config-printer systemtap tang targetcli taglib tcl-pgtcl tesseract tesseract-tessdata
texi2html thunderbird tigervnc tinyxml2 tix tk tlog toolbox tomcat torque totem totem-pl-parser tracer tracker
tracker-miners trace-cmd transfig trustee-guest-components ttmkfdir tuxedo twolame udisks2 uglify-js unicode-ucd
unifdef unixODBC uom-lib upower uriparser urlview urw-base35-fonts usb_modeswitch usb_modeswitch-data usbredir
utf8proc uthash uuid vala valgrind varnish varnish-modules velocity vhostmd vinagre vino virglrenderer virt-manager
virt-p2v virt-top virt-v2v virt-viewer virt-who virtio-win virtiofsd vlgothic-fonts vorbis-tools vsftpd vte291
vulkan-headers vulkan-loader vulkan-tools vulkan-validation-layers wavpack wayland wayland-protocols wayland-utils
webkit2gtk3 webrtc-audio-processing weldr-client wget2 wireless-regdb wireplumber wireshark woff2 wqy-microhei-fonts
wsmancli x3270-x11 xalan-j2 xapian-core xapps xbean xcb-proto xdelta xdg-dbus-proxy xdg-desktop-portal
xdg-desktop-portal-gnome xdg-desktop-portal-gtk xdg-user-dirs xdg-user-dirs-gtk xdg-utils xdp-tools xerces-c
xerces-j2 xinetd xkeyboard-config xml-commons-apis xml-commons-resolver xmlsec1 xmlstarlet xmlto xmltoman xorriso
xpp3 xrdb xrestop xsane xsimd xterm xxhash yara yasm yelp yelp-tools yelp-xsl ypbind ypserv yp-tools zenity zerofree
ziglang zvbi zziplib
"""
"""A release's own packages; the first dozen are in every sample."""

FAMILIES: Final = {
    "perl-": """
Algorithm-Diff Archive-Any-Lite Archive-Tar Archive-Zip Authen-SASL AutoLoader B-COW B-Debug B-Hooks-EndOfScope
B-Lint Bit-Vector Business-ISBN Business-ISBN-Data CGI CPAN CPAN-Changes CPAN-DistnameInfo CPAN-Meta CPAN-Meta-Check
CPAN-Meta-Requirements CPAN-Meta-YAML Canary-Stability Capture-Tiny Carp Carp-Clan Class-Accessor
Class-Data-Inheritable Class-ISA Class-Inspector Class-Load Class-Method-Modifiers Class-Singleton Class-Tiny
Class-XSAccessor Clone Compress-Bzip2 Compress-Raw-Bzip2 Compress-Raw-Lzma Compress-Raw-Zlib Config-AutoConf
Config-General Config-Perl-V Convert-ASN1 Crypt-OpenSSL-Bignum Crypt-OpenSSL-RSA Crypt-OpenSSL-Random
Crypt-PasswdMD5 Crypt-SSLeay DBD-MySQL DBD-Pg DBD-SQLite DBI DB_File Data-Dump Data-Dumper Data-OptList Data-Peek
Data-Section Data-UUID Data-Uniqid Date-Calc Date-ISO8601 Date-Manip DateTime DateTime-Format-Builder
DateTime-Format-ISO8601 DateTime-Format-Mail DateTime-Format-Strptime DateTime-Locale DateTime-TimeZone
Devel-CallChecker Devel-Caller Devel-CheckBin Devel-CheckLib Devel-Cycle Devel-EnforceEncapsulation
Devel-GlobalDestruction Devel-Hide Devel-LexAlias Devel-PPPort Devel-Size Devel-StackTrace Devel-Symdump Digest
Digest-BubbleBabble Digest-CRC Digest-HMAC Digest-MD5 Digest-SHA Digest-SHA1 Dist-CheckConflicts
DynaLoader-Functions Email-Address Email-Date-Format Encode Encode-Detect Encode-EUCJPASCII Encode-IMAPUTF7
Encode-Locale Env Error Eval-Closure Event Exception-Class Expect Exporter Exporter-Tiny ExtUtils-CBuilder
ExtUtils-Install ExtUtils-MakeMaker ExtUtils-Manifest ExtUtils-ParseXS FCGI Fedora-VSP File-BaseDir File-BOM
File-CheckTree File-Copy-Recursive File-DesktopEntry File-Fetch File-Find-Object File-Find-Rule File-Find-Rule-Perl
File-HomeDir File-Listing File-MimeInfo File-Path File-ReadBackwards File-Remove File-ShareDir File-ShareDir-Install
File-Slurp File-Slurp-Tiny File-Slurper File-Temp File-Which File-pushd Filter Filter-Simple Font-TTF FreezeThaw GD
GDBM_File GSSAPI Getopt-ArgvFile Getopt-Long Getopt-Long-Descriptive Graphics-ColorNames HTML-Parser HTML-Tagset
HTML-Tree HTTP-Cookies HTTP-Daemon HTTP-Date HTTP-Message HTTP-Negotiate HTTP-Tiny Hash-Util-FieldHash-Compat
Hook-LexWrap IO-All IO-Compress IO-Compress-Lzma IO-HTML IO-Multiplex IO-SessionData IO-Socket-INET6 IO-Socket-IP
IO-Socket-SSL IO-String IO-Tty IO-stringy IPC-Cmd IPC-Run IPC-Run3 IPC-SysV IPC-System-Simple Image-Base Image-Info
Image-Size Image-Xbm Image-Xpm Import-Into Importer JSON JSON-MaybeXS JSON-PP JSON-XS LDAP LWP-MediaTypes
LWP-Protocol-https Lingua-EN-Inflect List-MoreUtils List-MoreUtils-XS Locale-Codes Locale-Maketext
Locale-Maketext-Gettext Locale-gettext Log-Dispatch Log-Log4perl MIME-Base64 MIME-Charset MIME-Lite MIME-Types
MRO-Compat Mail-AuthenticationResults Mail-DKIM Mail-IMAPTalk Mail-SPF Mail-Sender Mail-Sendmail MailTools
Math-BigInt Math-BigInt-FastCalc Math-BigRat Memoize Mixin-Linewise Module-Build Module-CPANTS-Analyse
Module-CoreList Module-Extract-VERSION Module-Find Module-Implementation Module-Install Module-Load
Module-Load-Conditional Module-Loaded Module-Manifest Module-Metadata Module-Pluggable Module-Runtime
Module-ScanDeps Module-Signature Mojolicious Moo Mozilla-CA Mozilla-LDAP NTLM Net-CIDR-Lite Net-DNS
Net-DNS-Resolver-Mock Net-DNS-SEC Net-HTTP Net-IDN-Encode Net-IP Net-LibIDN2 Net-Patricia Net-SMTP-SSL Net-SNMP
Net-SSLeay Net-Server Newt Number-Compare Object-HashBase PAR-Dist PCP-LogSummary PDF-API2
Package-DeprecationManager Package-Generator Package-Stash Package-Stash-XS PadWalker Params-Check Params-Classify
Params-Util Params-Validate Parse-PMFile Parse-RecDescent Parse-Yapp Path-Tiny PathTools Perl-Critic
Perl-Destruct-Level Perl-MinimumVersion Perl-OSType Perl-PrereqScanner-NotQuiteLite Perl-Tidy PerlIO-via-QuotedPrint
Pod-Checker Pod-Coverage Pod-Eventual Pod-Markdown Pod-Parser Pod-Perldoc Pod-Simple Pod-Spell Pod-Usage Probe-Perl
Readonly Ref-Util Ref-Util-XS Regexp-Common Role-Tiny SGMLSpm SNMP_Session Scalar-List-Utils Scope-Guard Sereal
Socket Socket6 Software-License Sort-Versions Specio Storable String-CRC32 String-Format String-ShellQuote
String-Similarity Sub-Exporter Sub-Exporter-Progressive Sub-Identify Sub-Info Sub-Install Sub-Name Sub-Quote
Sub-Uplevel SUPER Switch Syntax-Highlight-Engine-Kate Sys-CPU Sys-MemInfo Sys-Syslog Sys-Virt Taint-Runtime
Task-Weaken Term-ANSIColor Term-Cap Term-Size-Any Term-Table TermReadKey Test-Base Test-CPAN-Meta Test-Deep
Test-Differences Test-DistManifest Test-Exception Test-Fatal Test-FailWarnings Test-Harness Test-LeakTrace
Test-Manifest Test-Memory-Cycle Test-MockModule Test-MockObject Test-Most Test-NoWarnings Test-Pod Test-Requires
Test-Script Test-Simple Test-Taint Test-Warn Test-Warnings Text-Balanced Text-CSV Text-CharWidth Text-Diff Text-Glob
Text-Iconv Text-ParseWords Text-Soundex Text-Tabs+Wrap Text-Template Text-Unidecode Text-WrapI18N Thread-Queue
Tie-IxHash Time-HiRes Time-Local TimeDate Tk Try-Tiny Type-Tiny Types-Serialiser UNIVERSAL-can UNIVERSAL-isa URI
Unicode-Collate Unicode-EastAsianWidth Unicode-LineBreak Unicode-Map8 Unicode-Normalize Unicode-String Unicode-UTF8
Unix-Syslog Variable-Magic Version-Requirements WWW-RobotRules XML-Catalog XML-DOM XML-Entities
XML-Filter-BufferText XML-Generator XML-Grove XML-Handler-YAWriter XML-LibXML XML-LibXSLT XML-NamespaceSupport
XML-Parser XML-RegExp XML-SAX XML-SAX-Base XML-SAX-Writer XML-Simple XML-TokeParser XML-TreeBuilder XML-Twig
XML-Writer XML-XPath XML-XPathEngine XString YAML YAML-LibYAML YAML-PP YAML-Syck YAML-Tiny autodie bignum boolean
common-sense constant experimental generators inc-latest libintl-perl libnet libxml-perl local-lib
namespace-autoclean namespace-clean parent perlfaq podlators prefork strictures threads threads-shared version
""",
    "python-": """
aiodns aiofiles aiohttp aiosignal alembic alabaster ansible-lint anyio appdirs apipkg argcomplete asn1crypto astor
async-timeout atomicwrites attrs augeas babel backcall bcrypt beautifulsoup4 blinker blivet boto3 botocore build
bytesize cachetools cairo certifi cffi chardet charset-normalizer cheroot cherrypy click cloud-what colorama
configobj configshell contextlib2 coverage cryptography cssselect cups custodia cycler daemon dasbus dateutil
dbusmock decorator deepmerge defusedxml deprecated dmidecode dns docutils distlib distro dtopt ecdsa editables
enchant entrypoints ethtool evdev execnet extras fastapi fasteners ffmpeg filelock fixtures flake8 flaky flask
flit-core freezegun frozenlist funcsigs gevent gitdb google-auth gobject greenlet gssapi h11 hatchling html5lib
httplib2 httptools httpx humanize hwdata hypothesis idna imagesize importlib-metadata incremental inflection
iniconfig inotify into-dbus iso8601 isort itsdangerous jedi jeepney jinja2 jmespath joblib josepy jsonpatch
jsonpointer jsonschema justbases justbytes jwcrypto kdcproxy kerberos keyring kiwisolver kmod kubernetes ldap
lazy-object-proxy libevdev libnacl lit lockfile lxml magic mako markdown markdown-it-py markupsafe matplotlib mccabe
mdurl meh mock more-itertools msgpack multidict mypy mypy-extensions mysqlclient namedlist netaddr netifaces
networkx nose2 ntlm-auth ntplib numexpr oauthlib openpyxl ordered-set outcome packaging pam pandas paramiko parso
passlib pathlib2 pathspec pbr pefile pexpect pid pillow pip pkgconfig pluggy ply podman-api poetry-core pretend
process-tests productmd prompt-toolkit protobuf3 psutil psycopg2 ptyprocess pwquality py pyaes pyasn1 pyasn1-modules
pycares pycodestyle pycparser pycurl pydantic pydbus pyflakes pyghmi pygments pyinotify pyjwt pykwalify pymongo
pymysql pynacl pyopenssl pyparsing pyperclip pyrad pyrsistent pyroute2 pyserial pysocks pyspnego pyte pytest
pytest-cov pytest-mock pytest-runner pytest-asyncio pytest-xdist pytest-timeout pythia pytz pyudev pyusb pywbem
pyxattr pyxdg pyyaml qrcode queuelib reportlab requests requests-file requests-ftp requests-gssapi requests-oauthlib
requests-toolbelt resolvelib responses retry rfc3986 rich roman rpm-generators rpmautospec-core rpmfluff rsa rtslib
ruamel-yaml s3transfer sanic scikit-build schedutils secretstorage selenium semantic-version setproctitle setuptools
setuptools_scm setuptools-rust simpleaudio simpleline simplejson six smartypants smmap sniffio snowballstemmer
sortedcontainers soupsieve sphinx sphinx-epytext sphinx-theme-alabaster sphinx_rtd_theme sphinxcontrib-applehelp
sphinxcontrib-devhelp sphinxcontrib-htmlhelp sphinxcontrib-jsmath sphinxcontrib-qthelp sphinxcontrib-serializinghtml
sqlalchemy starlette stevedore suds sure sushy systemd tempita tempora testscenarios testtools textdistance
texttable threadpoolctl tinycss2 toml tomli tomlkit tornado toposort tox tqdm traitlets trio trove-classifiers
twisted typeguard typer typing-extensions tzlocal unittest2 uritemplate urllib3 urwid uvicorn uvloop varlink
virtualenv volatile voluptuous waitress watchfiles watchdog wcwidth webencodings webob websocket-client websockets
webtest werkzeug wheel whitenoise whoosh wrapt xmltodict yarl yubico zabbix-api zipp zope-event zope-interface
zstandard
""",
    "golang-": """
github-alecthomas-kingpin github-aws-sdk github-beorn7-perks github-burntsushi-toml github-cespare-xxhash
github-client-prometheus github-cpuguy83-md2man github-davecgh-spew github-docker-units github-fatih-color
github-fsnotify github-gobwas-glob github-golang-jwt github-google-cmp github-google-uuid github-gorilla-mux
github-gorilla-websocket github-hashicorp-lru github-hashicorp-multierror github-jonboulle-clockwork
github-json-iterator github-julienschmidt-httprouter github-klauspost-compress github-kr-pretty github-kr-text
github-mattn-colorable github-mattn-isatty github-mattn-runewidth github-mitchellh-mapstructure
github-modern-concurrent github-modern-reflect2 github-opencontainers-digest github-opencontainers-image-spec
github-pelletier-toml github-pkg-errors github-pmezard-difflib github-prometheus-common github-prometheus-procfs
github-sirupsen-logrus github-spf13-cobra github-spf13-pflag github-stretchr-objx github-stretchr-testify
github-ulikunitz-xz github-urfave-cli github-vishvananda-netlink github-vishvananda-netns github-vividcortex-ewma
github-xrash-smetrics gopkg-check gopkg-tomb gopkg-yaml gopkg-yaml-3 opentelemetry uber-atomic uber-multierr
uber-zap x-crypto x-mod x-net x-oauth2 x-sync x-sys x-term x-text x-time x-tools google-api google-appengine
google-genproto google-grpc google-protobuf
""",
    "rust-": """
addr2line adler aho-corasick anstream anstyle anyhow arrayvec async-trait autocfg backtrace base64 bindgen bitflags
block-buffer bstr bumpalo bytemuck byteorder bytes camino cargo_metadata cc cexpr cfg-if chrono clang-sys clap
clap_builder clap_derive clap_lex coreos-installer cpufeatures crc32fast crossbeam crossbeam-channel crossbeam-deque
crossbeam-epoch crossbeam-utils crypto-common data-encoding deranged digest dirs either encode_unicode env_logger
equivalent errno fastrand flate2 fnv foreign-types form_urlencoded futures futures-channel futures-core
futures-executor futures-io futures-macro futures-sink futures-task futures-util generic-array getrandom gimli glob
globset h2 hashbrown heck hex hmac home http httparse hyper idna ignore indexmap indoc iovec ipnet is-terminal
itertools itoa js-sys lazy_static libc libloading linux-raw-sys lock_api log maplit matchers memchr memoffset mime
minimal-lexical miniz_oxide mio native-tls nix nom num-bigint num-integer num-traits num_cpus object once_cell
openssl-crate openssl-macros openssl-probe openssl-sys os_str_bytes parking_lot parking_lot_core pathdiff
percent-encoding petgraph pin-project pin-project-lite pin-utils pkg-config ppv-lite86 prettyplease proc-macro2
quote rand rand_chacha rand_core rayon rayon-core regex-automata regex regex-syntax ring ripgrep rustc-demangle
rustc-hash rustix rustls rustversion ryu same-file scopeguard semver serde serde_derive serde_json serde_yaml sha1
sha2 sharded-slab shlex signal-hook slab smallvec socket2 strsim subtle syn synstructure tempfile termcolor textwrap
thiserror thread_local time tinyvec tokio tokio-macros tokio-util toml toml_edit tower tracing tracing-core try-lock
typenum unicode-ident unicode-normalization unicode-segmentation unicode-width url utf8parse uuid vcpkg
version_check walkdir want zeroize zstd
""",
    "rubygem-": """
abrt asciidoctor bacon bigdecimal bson builder bundler coderay concurrent-ruby diff-lcs did_you_mean erb ffi hpricot
io-console irb json kramdown listen minitest mocha mongo multi_json mysql2 net-telnet nokogiri open4 pg power_assert
psych puma rack rake rb-inotify rbs rdoc rexml rspec rspec-core rspec-expectations rspec-mocks rspec-support rss
sinatra sqlite3 test-unit thor thread_order tilt typeprof webrick xmlrpc yard
""",
    "texlive-": """
adjustbox ae algorithms alphalph amscls amsfonts amsmath anysize appendix arabxetex arphic atbegshi attachfile
atveryend auto-pst-pdf avantgar babel-english babel-german babelbib background beamer bera beton bibtopic bidi
bigfoot bigintcalc bitset bookman booktabs breakurl breqn caption carlisle catchfile changebar changepage charter
chngcntr cite cjk classpack cm-lgc cm-super cmap cns colortbl context courier crop csquotes ctable ctablestack
currfile datetime dvipdfmx dvips ec eepic embrac emptypage enumitem environ eso-pic epstopdf euenc euler eurosym
fancybox fancyhdr fancyref fancyvrb filecontents filehook finstrut float fontawesome fontbook fonts-tlwg fontspec
footmisc fp fpl framed garuda-c90 geometry gettitlestring glyphlist gnu-freefont gsftopk hardwrap helvetic hobsub
hycolor hyperref hyphenat ifetex ifmtarg ifoddpage iftex import index infwarerr jadetex jknapltx kastrup kerkis
knuth-lib knuth-local koma-script l3backend l3experimental l3kernel l3packages lastpage latex2man latexconfig
lettrine lettrinetwo linegoal lineno listings lm lm-math ltabptch ltxmisc lua-alt-getopt luatex85 luatexbase lwarp
makecmds manfnt-font marginnote marvosym mathpazo mathspec mathtools mdwtools memoir metafont mflogo mfnfss mfware
microtype mnsymbol mparhack mptopdf ms multido multirow natbib ncctools ncntrsbk needspace norasi-c90 notoccite
ntgclass oberdiek overpic palatino paralist parallel parskip passivetex pdfcolmk pdfescape pdflscape pdfpages
pdftexcmds pgf philokalia picture placeins plain polyglossia powerdot preprint preview psfrag pslatex psnfss
pspicture pst-3d pst-arrow pst-blur pst-coil pst-eps pst-fill pst-grad pst-math pst-node pst-plot pst-slpe pst-text
pst-tools pst-tree pstricks ptext pxfonts qstest ragged2e rcs realscripts refcount rerunfilecheck rotating rsfs
sansmath sansmathaccent sauerj section sectsty seminar sepnum setspace showexpl soul stackengine stmaryrd stringenc
subfig subfigure svn-prov symbol t2 tabu tabulary tetex texlive-en textcase textpos thailatex threeparttable
thumbpdf times tipa titlesec titling tocloft tools translator trimspaces txfonts type1cm typehtml ucharclasses ucs
uhc ulem underscore unicode-data unicode-math uniquecounter unisugar updmap-map upquote url utopia varwidth wadalab
was wasy-type1 wasysym wrapfig xcolor xdvi xecjk xecolor xecyr xeindex xepersian xesearch xetex xetexfontinfo
xifthen xkeyval xltxtra xmltex xmltexconfig xstring xtab xunicode zapfchan zapfding zref
""",
    "lib": """
0xFFFF X11 XScrnSaver Xau Xaw Xcomposite Xcursor Xdamage Xdmcp Xext Xfixes Xfont2 Xft Xi Xinerama Xmu Xp Xpm Xrandr
Xrender Xres Xt Xtst Xv XvMC Xxf86vm aio ao appindicator appstream-glib arrow-libs assuan atasmart atomic_ops
avc1394 base basicobjects blkio blockdev bluray bpf bs2b bytesize cacard calendars call camera canberra cap cap-ng
capstone cbor cdio cdio-paranoia cgroup champlain chewing citadel cmis cmpiutil collection comps compose config csv
cue cupsfilters daemon datrie dazzle db dbusmenu dc1394 decor dhash dispatch dmapsharing dmx dnf dnet drm dv dvdnav
dvdread dwarf ecap edit ell epc epoxy epubgen eot esmtp estr etpan-config ev evdev event evdevplus exif exttextcat
fabric fastjson ffado ffi fido2 fontenc fonts-config freehand fprint fs gcrypt gdata gee gexiv2 gfapi girepository
git2 glvnd gnomekbd gpg-error gphoto2 gpiod graphqlparser grss gsf gsystem gtop guestfs guestfs-winsupport gudev
guess gusb gweather gxps handy hangul hbaapi hugetlbfs hwasan ical icns idn2 iec61883 ieee1284 ijs imobiledevice
indicator ini_config input inputmm invm ipa_hbac ipt iptcdata iscsi isofs jcat jpeg-turbo kcapi kkc kkc-data ksba
langtag layout linear lognorm lockfile lrdf ltdl luksmeta lxqt macaroons maxminddb mbim mcrypt md4c
memcached-awesome metalink mbus microhttpd mng mnl modbus modplug modulemd modman mpc mspack mspub mtp mwaw mypaint
nbd nbdplus ndp netapi netfilter_conntrack netfilter_cthelper netfilter_cttimeout netfilter_queue nfnetlink nfsidmap
nftnl nice nl3 nma notify nsl2 numbertext nvme oauth odfgen ogg ogdi openraw openshot optdep orcus osinfo otf
pagemaker paper path_utils pcap pciaccess peas pfm pinyin pipeline plist pmemobj-cpp png portal preludedb proxy psl
psm2 pst ptytty pwquality qb qmi qrtr-glib quadmath quvi quvi-scripts raqm raw1394 rdkafka rdmacm ref_array relp
repo reportplus reswrap rhsm rolo rsvg2 rtas samplerate sass seccomp secret selinux semanage sepol serf serialport
servicelog shaderc shout sigc++20 sigsegv skk slirp smbios smi sndfile solv soup3 spatialaudio spectre spiro sq srtp
ssh ssh2 staroffice stemmer stoken storagemgmt stream swampdb sysprof-capture taskotron tar tasn1 team thai theora
tiff timezonemap tirpc tnc toml tommath tool tpms tracecmd traceevent tracefs uninum unistring unwind urcuplus uring
usal usb1 usbmuxd user usbauth utempter uuidplus uv v4l va varlink vdpau verto vidstab virt virt-cim virt-dbus
virt-glib virt-python visio visual vma vncserver voikko vorbis vpx wacom wbclient webp wmf wnck3 wpd wpe wpg wps
wsman xcb xcrypt xcvt xfce4util xkbcommon xkbfile xkbregistry xklavier xml++ xml2 xmlb xmp xshmfence xslt yami yaml
yang yuv zapojit zdb zeitgeist zen zhuyin zip zmf
""",
    "xorg-x11-": """
apps drivers drv-ati drv-dummy drv-evdev drv-fbdev drv-intel drv-libinput drv-nouveau drv-qxl drv-v4l drv-vesa
drv-vmware drv-wacom font-utils fonts proto-devel resutils server server-utils server-Xwayland server-Xephyr
util-macros utils xauth xbitmaps xdm xinit xkb-utils xtrans-devel
""",
    "gnome-": """
autoar backgrounds bluetooth boxes calculator characters clocks color-manager common connections console contacts
control-center desktop3 desktop-testing disk-utility epub-thumbnailer font-viewer getting-started-docs initial-setup
keyring kiosk logs maps menus music online-accounts online-miners photos remote-desktop screenshot session
settings-daemon shell shell-extensions shell-extension-background-logo software system-monitor terminal text-editor
themes themes-extra tour tweaks user-docs user-share vfs weather
""",
    "gstreamer1-": """
libav plugins-bad-free plugins-base plugins-good plugins-ugly-free rtsp-server vaapi python-bindings doc
""",
    "qt5-": """
doc qt3d qtbase qtconnectivity qtdeclarative qtdoc qtgraphicaleffects qtimageformats qtlocation qtmultimedia
qtquickcontrols qtquickcontrols2 qtscript qtsensors qtserialbus qtserialport qtsvg qttools qttranslations qtwayland
qtwebchannel qtwebsockets qtx11extras qtxmlpatterns
""",
    "qt6-": """
doc qt3d qt5compat qtbase qtconnectivity qtdeclarative qthttpserver qtimageformats qtlocation qtlottie qtmultimedia
qtnetworkauth qtpositioning qtquick3d qtquicktimeline qtremoteobjects qtscxml qtsensors qtserialbus qtserialport
qtshadertools qtspeech qtsvg qttools qttranslations qtvirtualkeyboard qtwayland qtwebchannel qtwebsockets
""",
    "hunspell-": """
af ak am ar as ast az be ber bg bn br ca cop csb cv cy da de dsb el en eo es et eu fa fj fo fr fur fy ga gd gl grc
gu gv haw he hi hil hr hsb ht hu hy ia id is it kk km kn ko ku ky la lb ln lt lv mai mg mi mk ml mn mos mr ms mt nb
nds ne nl no nr nso ny oc om or pa pl plt pt qu quh ro ru rw sc sd se shs si sk sl smj so sq sr ss st sv sw ta te
tet th ti tk tl tn tpi ts uk ur uz ve vi wa xh yi zu
""",
    "hyphen-": """
af as be bg bn ca cs cy da de el en es et eu fa fo fr ga gl grc gu hi hr hsb hu ia id is it kn ku la lt lv mi ml mn
mr nl or pa pl pt ro ru sa sk sl sv ta te tk uk zu
""",
    "mythes-": """
bg ca cs da de el en es eu fr ga hu it lb lv mi ne nl no pl pt ro ru sk sl sv uk
""",
    "aspell-": """
af ar bg bn br ca cs cy da de el en es et fo fr ga gd gl gu he hi hr hu id is it la lt lv mk ml mr nl no or pa pl pt
ro ru sk sl sr sv ta te uk
""",
    "langpacks-": "core-font filesystem meta",
    "maven-": """
antrun-plugin archiver assembly-plugin bundle-plugin common-artifact-filters compiler-plugin dependency-analyzer
dependency-plugin dependency-tree enforcer file-management filtering install-plugin invoker jar-plugin
javadoc-plugin parent plugin-build-helper plugin-testing plugin-tools release reporting-api reporting-impl
remote-resources-plugin resolver resources-plugin shade-plugin shared shared-incremental shared-io shared-utils
source-plugin surefire verifier wagon
""",
    "plexus-": """
archiver build-api cipher classworlds compiler component-api components-pom containers i18n interpolation io
languages pom2 resources sec-dispatcher utils velocity
""",
    "apache-": """
commons-beanutils commons-cli commons-codec commons-collections commons-compress commons-dbcp commons-digester
commons-exec commons-io commons-jxpath commons-lang3 commons-logging commons-net commons-parent commons-pool
commons-vfs resource-bundles ivy
""",
    "java-": """
1.8.0-openjdk 11-openjdk 17-openjdk 21-openjdk 25-openjdk atk-wrapper comment-preprocessor diff-utils
""",
    "glassfish-": """
annotation-api el fastinfoset hk2 jax-rs-api jaxb-api jsp jsp-api legal servlet-api
""",
    "php-": """
pecl-apcu pecl-memcache pecl-rrd pecl-xdebug3 pecl-zip pecl-redis6 pecl-imagick libguestfs pgsql-tools
""",
    "ocaml-": """
augeas base bisect-ppx calendar camlp-streams camlp4 camlp5 cppo csexp csv curses dune extlib fileutils findlib
gettext labltk libvirt lablgl luv num ocamlbuild ounit parmap ppx-derivers re result seq sexplib0 stdcompat topkg
xml-light zarith
""",
    "ghc-": """
aeson ansi-terminal ansi-wl-pprint asn1-types async attoparsec base-compat base-orphans base64 basement
blaze-builder blaze-html blaze-markup boxes bsb-http case-insensitive cereal citeproc colour commonmark conduit
connection cookie cryptonite data-default dlist doctemplates edit-distance emojis erf errors foundation generic-lens
glob haddock-library happy hashable hinotify hslua hsyaml http-client http-date http-types hxt integer-logarithms
ipynb js-flot js-jquery lua memory mime-types mono-traversable network network-uri old-locale optparse-applicative
pandoc-types pem primitive quickcheck random regex-base regex-tdfa resourcet safe scientific setlocale skylighting
socks split splitmix streaming-commons syb tagged tagsoup temporary texmath text-conversions time-compat tls
transformers-compat typed-process unicode-collation unix-compat unliftio-core unordered-containers utf8-string
uuid-types vector x509 xml xml-conduit yaml zip-archive zlib
""",
    "mingw-": """
atk binutils-cross bzip2 cairo crt expat fontconfig freetype gcc-cross gdk-pixbuf gettext glib2 gnutls gstreamer1
gtk3 harfbuzz headers icu jasper libepoxy libffi libjpeg-turbo libpng libtiff nettle openssl pango pcre2 pixman
pkg-config readline spice-vdagent sqlite termcap win-iconv winpthreads zlib
""",
    "google-": """
noto-cjk-fonts noto-emoji-fonts noto-fonts noto-sans-cjk-vf-fonts noto-serif-cjk-vf-fonts carlito-fonts roboto-fonts
crosextra-caladea-fonts authenticator guest-agent osconfig-agent compute-engine
""",
    "sil-": """
abyssinica-fonts nuosu-fonts padauk-fonts scheherazade-fonts charis-fonts doulos-fonts gentium-fonts andika-fonts
""",
    "lohit-": """
assamese-fonts bengali-fonts devanagari-fonts gujarati-fonts gurmukhi-fonts kannada-fonts malayalam-fonts
marathi-fonts nepali-fonts odia-fonts tamil-fonts telugu-fonts
""",
    "smc-": """
anjalioldlipi-fonts dyuthi-fonts manjari-fonts meera-fonts rachana-fonts raghumalayalam-fonts suruma-fonts
""",
    "R-": """
askpass backports base64enc brio callr cli crayon curl desc diffobj digest evaluate fansi glue highr htmltools
jsonlite knitr later lifecycle magrittr mime openssl pillar pkgload praise processx ps R6 Rcpp rlang rmarkdown
rprojroot rstudioapi stringi stringr testthat tibble tinytex vctrs waldo withr xfun xml2 yaml
""",
}
"""Prefix → what follows it."""
HIGH_AVAILABILITY: Final = frozenset(
    {
        "booth",
        "corosync",
        "corosync-qdevice",
        "fence-agents",
        "fence-virt",
        "ha-cloud-support",
        "libknet1",
        "libqb",
        "omping",
        "pacemaker",
        "pcs",
        "resource-agents",
        "sbd",
    }
)
REAL_TIME: Final = frozenset({"kernel-rt", "realtime-setup", "rt-tests", "rteval", "rteval-loads", "stalld", "tuna"})


def all_names() -> list[str]:
    """Give every name once, the core's first."""
    families = (prefix + rest for prefix, body in FAMILIES.items() for rest in body.split())
    return list(dict.fromkeys((*CORE.split(), *sorted(HIGH_AVAILABILITY), *sorted(REAL_TIME), *families)))
