"""Words the synthetic world is made of: divisions, trades, departments, permit matters, licence kinds.

Only public vocabulary (places, kinds of business, kinds of permits); no real company and no real person. Must not know the
seed or any system.
"""

from __future__ import annotations

from dataclasses import dataclass

# (division code, city, county): the county's code is current; RETIRED_DIVISIONS keeps codes that old registrations still carry.
DIVISIONS: tuple[tuple[str, str, str], ...] = (
    ("330106", "杭州", "西湖区"),
    ("330102", "杭州", "上城区"),
    ("330105", "杭州", "拱墅区"),
    ("330108", "杭州", "滨江区"),
    ("330109", "杭州", "萧山区"),
    ("330110", "杭州", "余杭区"),
    ("330114", "杭州", "钱塘区"),
    ("330203", "宁波", "海曙区"),
    ("330212", "宁波", "鄞州区"),
    ("330282", "宁波", "慈溪市"),
    ("330302", "温州", "鹿城区"),
    ("330382", "温州", "乐清市"),
    ("330402", "嘉兴", "南湖区"),
    ("330421", "嘉兴", "嘉善县"),
    ("330521", "湖州", "德清县"),
    ("330602", "绍兴", "越城区"),
    ("330681", "绍兴", "诸暨市"),
    ("330702", "金华", "婺城区"),
    ("330782", "金华", "义乌市"),
    ("330802", "衢州", "柯城区"),
    ("330902", "舟山", "定海区"),
    ("331002", "台州", "椒江区"),
    ("331102", "丽水", "莲都区"),
)
RETIRED_DIVISIONS = {"330105": "330103", "330102": "330104"}  # registered there before the merger of 2021

BRAND_FIRST = "青禾云澜松竹晨星明远嘉和汇通锦程"
BRAND_SECOND = "源达泰恒瑞丰盛祥安宁康乐新创联科"

STEMS = "甲乙丙丁戊己庚辛壬癸"
BRANCHES = "子丑寅卯辰巳午未申酉戌亥"


@dataclass(frozen=True, slots=True)
class Trade:
    """``industry`` is a GB/T 4754 class; ``licences`` are serials of the licence kinds such a business may hold."""

    name: str
    industry: str
    licences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LicenceKind:
    """``serial`` is the last three digits of the type code; ``matter`` names the permit item it comes from (empty: none);
    ``years`` of validity (0: no end)."""

    serial: str
    name: str
    matter: str
    department: int
    years: int


@dataclass(frozen=True, slots=True)
class Department:
    """``code`` is the department part of an item code; ``body`` is characters 9 to 16 of its USCC."""

    code: str
    name: str
    body: str
    objects: tuple[str, ...]


TRADES = (
    Trade("餐饮", "H6210", ("001", "002", "009")),
    Trade("食品商贸", "F5229", ("001", "002", "003", "010")),
    Trade("医药", "F5251", ("001", "004", "005", "003")),
    Trade("网络科技", "I6420", ("001", "006")),
    Trade("物流", "G5430", ("001", "007", "010")),
    Trade("化工", "C2614", ("001", "008", "010")),
    Trade("文化传媒", "R8810", ("001", "006", "011")),
    Trade("机械制造", "C3484", ("001", "010", "012")),
    Trade("生态农业", "A0141", ("001", "003")),
    Trade("酒店管理", "H6110", ("001", "002", "009")),
)

LICENCE_KINDS = (
    LicenceKind("001", "营业执照", "", 0, 0),
    LicenceKind("002", "食品经营许可证", "食品经营许可", 0, 5),
    LicenceKind("003", "食品生产许可证", "食品生产许可", 0, 5),
    LicenceKind("004", "药品经营许可证", "药品经营许可", 1, 5),
    LicenceKind("005", "医疗器械经营许可证", "医疗器械经营许可", 1, 5),
    LicenceKind("006", "增值电信业务经营许可证", "增值电信业务许可", 5, 5),
    LicenceKind("007", "道路运输经营许可证", "道路货运许可", 2, 4),
    LicenceKind("008", "危险化学品经营许可证", "危险化学品经营许可", 3, 3),
    LicenceKind("009", "公共场所卫生许可证", "公共场所卫生许可", 4, 4),
    LicenceKind("010", "排污许可证", "排污许可", 6, 5),
    LicenceKind("011", "营业性演出许可证", "营业性演出许可", 7, 2),
    LicenceKind("012", "特种设备生产许可证", "特种设备生产许可", 0, 4),
)

ACTS = ("许可", "审批", "核准", "资质认定")

ISSUE_CATEGORIES = (
    ("INSTITUTION", "体制机制"),
    ("SYSTEM_LINK", "系统对接"),
    ("PROCESS", "办事流程"),
    ("MATERIALS", "申报材料"),
    ("TIME_LIMIT", "办理时限"),
    ("COUNTER", "窗口服务"),
    ("ONLINE", "线上办理"),
    ("FEES", "收费公示"),
    ("COMPLAINTS", "咨询投诉"),
)

DEPARTMENTS = (
    Department("31", "省市场监督管理局", "00248201", ("食品经营", "食品生产", "特种设备生产", "计量器具", "检验检测机构", "广告发布")),
    Department("32", "省药品监督管理局", "00248202", ("药品经营", "医疗器械经营", "药品批发", "化妆品生产", "放射性药品", "医院制剂")),
    Department("17", "省交通运输厅", "00248203", ("道路货运", "道路客运", "港口经营", "水路运输", "涉路施工", "驾驶培训")),
    Department(
        "25", "省应急管理厅", "00248204", ("危险化学品经营", "危险化学品生产", "矿山安全", "烟花爆竹批发", "安全评价机构", "特种作业")
    ),
    Department(
        "23", "省卫生健康委员会", "00248205", ("公共场所卫生", "医疗机构执业", "饮用水供水卫生", "母婴保健", "放射诊疗", "消毒产品")
    ),
    Department("06", "省通信管理局", "00248206", ("增值电信业务", "电信网码号", "互联网域名", "电信设备进网", "跨地区电信", "网络接入")),
    Department("16", "省生态环境厅", "00248207", ("排污", "危险废物经营", "辐射安全", "环评文件", "入河排污口", "电子废物拆解")),
    Department("22", "省文化和旅游厅", "00248208", ("营业性演出", "旅行社", "娱乐场所", "互联网文化", "文物拍卖", "考级机构")),
    Department("08", "省公安厅", "00248209", ("民用爆炸物品", "保安服务", "旅馆业", "印章刻制", "大型活动", "剧毒品购买")),
    Department("14", "省人力资源和社会保障厅", "00248210", ("人力资源服务", "劳务派遣", "职业培训", "技工学校", "特殊工时", "就业中介")),
    Department("15", "省自然资源厅", "00248211", ("建设用地", "采矿", "测绘资质", "海域使用", "地质勘查", "规划用地")),
    Department("18", "省住房和城乡建设厅", "00248212", ("建筑施工", "工程监理", "房地产开发", "燃气经营", "排水接入", "造价咨询")),
    Department("19", "省水利厅", "00248213", ("取水", "水工程建设", "河道采砂", "水土保持", "洪水影响", "水利质检")),
    Department("20", "省农业农村厅", "00248214", ("种子生产", "农药经营", "兽药生产", "动物防疫", "渔业捕捞", "生鲜乳收购")),
    Department("21", "省商务厅", "00248215", ("成品油零售", "拍卖经营", "对外劳务", "直销经营", "汽车拆解", "进出口配额")),
    Department("05", "省教育厅", "00248216", ("民办学校", "校外培训", "教师资格", "中外合作办学", "学前机构", "校车使用")),
    Department("11", "省民政厅", "00248217", ("社会团体", "基金会", "民办非企业", "公墓建设", "慈善募捐", "殡葬设施")),
    Department("12", "省司法厅", "00248218", ("律师事务所", "公证员", "司法鉴定", "基层法律服务", "仲裁机构", "外国律所代表")),
    Department("30", "省广播电视局", "00248219", ("广播节目制作", "信息网络视听", "电视剧制作", "卫星接收设施", "有线电视", "广播站")),
    Department("33", "省林业局", "00248220", ("林木采伐", "野生动物", "林地占用", "木材运输", "林草种子", "自然保护地")),
)

VIOLATIONS = (
    ("未经许可从事食品经营活动", "《中华人民共和国食品安全法》第一百二十二条"),
    ("发布虚假广告", "《中华人民共和国广告法》第五十五条"),
    ("销售侵犯注册商标专用权的商品", "《中华人民共和国商标法》第六十条"),
    ("未明码标价", "《中华人民共和国价格法》第四十二条"),
    ("使用未经检定的计量器具", "《中华人民共和国计量法》第二十六条"),
    ("未按规定公示年度报告", "《企业信息公示暂行条例》第十七条"),
)

CATEGORIES = ("综合零售", "生鲜食品", "餐饮外卖", "医药健康", "服装鞋帽", "数码家电", "直播带货", "农产品")
