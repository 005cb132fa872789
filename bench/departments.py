"""The words of a made-up province: places, departments with what they keep records of, and the columns of such records.

Data alone, in the words that departments use: a column is called by the initials of its pinyin. Must not know what a manifest looks like.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Named:
    """One thing by its Chinese name, its English words (``word`` is them as one name) and what departments call it."""

    zh: str
    en: str
    native: str

    @property
    def word(self) -> str:
        return "".join(part[:1].upper() + part[1:] for part in self.en.replace("'", "").split())


@dataclass(frozen=True, slots=True)
class Department:
    """``folder`` is where its manifests lie; ``subjects`` is what it keeps records of."""

    folder: str
    zh: str
    subjects: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a record: the public field that it becomes, its type, and how it is written where that needs saying."""

    named: Named
    name: str
    type: str
    format: str = ""
    grade: str = "L1"
    ops: str = ""  # conditions that a database may be asked for


def _subjects(text: str) -> tuple[Named, ...]:
    return tuple(Named(*(part.strip() for part in each.split("/"))) for each in text.split(";"))


PLACES = (
    Named("省", "", ""),
    *_subjects(
        "杭州市/hangzhou/hz; 宁波市/ningbo/nb; 温州市/wenzhou/wz; 嘉兴市/jiaxing/jx; 湖州市/huzhou/huz; 绍兴市/shaoxing/sx; 金华市/jinhua/jh;"
        "衢州市/quzhou/qz; 舟山市/zhoushan/zs; 台州市/taizhou/tz; 丽水市/lishui/ls; 上城区/shangcheng/sc; 拱墅区/gongshu/gs; 西湖区/xihu/xh;"
        "滨江区/binjiang/bj; 萧山区/xiaoshan/xs; 余杭区/yuhang/yh; 富阳区/fuyang/fy; 临安区/linan/la; 桐庐县/tonglu/tl; 海曙区/haishu/hs;"
        "鄞州区/yinzhou/yz; 慈溪市/cixi/cx; 余姚市/yuyao/yy; 鹿城区/lucheng/lc; 乐清市/yueqing/yq; 瑞安市/ruian/ra; 海宁市/haining/hn;"
        "桐乡市/tongxiang/tx; 德清县/deqing/dq; 安吉县/anji/aj; 诸暨市/zhuji/zj; 义乌市/yiwu/yw; 东阳市/dongyang/dy; 开化县/kaihua/kh;"
        "临海市/linhai/lh; 温岭市/wenling/wl; 青田县/qingtian/qt; 普陀区/putuo/pt"
    ),
)

DEPARTMENTS = tuple(
    Department(folder, zh, _subjects(subjects))
    for folder, zh, subjects in (
        (
            "ecology",
            "生态环境",
            "排污许可/discharge permit/pwxk; 环评审批/impact assessment/hpsp; 危险废物/hazardous waste/wxfw; 在线监测/emission monitoring/zxjc;"
            "辐射安全/radiation safety/fsaq; 碳排放/carbon emission/tpf",
        ),
        (
            "emergency",
            "应急管理",
            "安全生产许可/work safety permit/aqsc; 危化品经营/chemical trade/whp; 事故隐患/hazard finding/sgyh; 矿山开采/mine/ksks; 烟花爆竹/firework shop/yhbz",
        ),
        (
            "human-resources",
            "人力资源和社会保障",
            "社会保险/social insurance/shbx; 劳动用工/employment contract/ldyg; 工伤认定/work injury/gsrd; 劳务派遣/labour dispatch/lwpq;"
            "欠薪投诉/wage complaint/qxts; 技能证书/skill certificate/jnzs",
        ),
        (
            "tax",
            "税务",
            "纳税信用/tax credit/nsxy; 欠税公告/tax arrears/qsgg; 发票管理/invoice account/fpgl; 税收优惠/tax relief/ssyh; 出口退税/export refund/ckts",
        ),
        (
            "housing",
            "住房和城乡建设",
            "施工许可/building permit/sgxk; 建筑资质/builder qualification/jzzz; 房屋预售/housing presale/fwys; 物业服务/property service/wyfw;"
            "燃气经营/gas supply/rqjy; 工程质量/works quality/gczl",
        ),
        (
            "transport",
            "交通运输",
            "道路运输/road transport/dlys; 网约车/ride hailing/wyc; 船舶登记/ship register/cbdj; 港口经营/port operation/gkjy; 超限治理/overload case/cxzl;"
            "驾培机构/driving school/jpjg",
        ),
        (
            "agriculture",
            "农业农村",
            "农药经营/pesticide trade/nyjy; 兽药经营/veterinary drug/syjy; 种子生产/seed production/zzsc; 动物检疫/animal quarantine/dwjy;"
            "农机登记/farm machine/njdj; 家庭农场/family farm/jtnc",
        ),
        (
            "health",
            "卫生健康",
            "医疗机构/medical institution/yljg; 卫生许可/hygiene permit/wsxk; 职业健康/occupational health/zyjk; 放射诊疗/radiology permit/fszl;"
            "饮用水/drinking water/yys; 托育机构/nursery/tyjg",
        ),
        (
            "drug",
            "药品监督",
            "药品经营/drug trade/ypjy; 医疗器械/medical device/ylqx; 化妆品/cosmetics/hzp; 药品抽检/drug sampling/ypcj; 执业药师/pharmacist post/zyys",
        ),
        (
            "culture",
            "文化和旅游",
            "旅行社/travel agency/lxs; 营业性演出/show permit/yyxyc; 网吧经营/internet cafe/wbjy; 文物商店/antique shop/wwsd; 民宿/homestay/ms",
        ),
        (
            "education",
            "教育",
            "民办学校/private school/mbxx; 校外培训/tutoring centre/xwpx; 学校食堂/school canteen/xxst; 校车/school bus/xc; 幼儿园/kindergarten/yey",
        ),
        (
            "natural-resources",
            "自然资源",
            "不动产登记/real estate/bdc; 土地出让/land sale/tdcr; 采矿权/mining right/ckq; 测绘资质/survey qualification/chzz; 规划许可/planning permit/ghxk",
        ),
        (
            "water",
            "水利",
            "取水许可/water permit/qsxk; 水土保持/soil conservation/stbc; 河道采砂/sand dredging/hdcs; 水库大坝/dam/skdb; 节水载体/water saving/jszt",
        ),
        (
            "public-security",
            "公安",
            "旅馆治安/hotel security/lgza; 保安服务/guard service/bafw; 印章刻制/seal making/yzkz; 娱乐场所/entertainment venue/ylcs; 剧毒化学品/toxic goods/jdhx",
        ),
        (
            "civil-affairs",
            "民政",
            "社会组织/social organisation/shzz; 养老机构/care home/yljgb; 慈善组织/charity/cszz; 殡葬服务/funeral service/bzfw; 地名/place name/dm",
        ),
        (
            "judicial",
            "司法行政",
            "律师事务所/law firm/lssws; 公证机构/notary office/gzjg; 司法鉴定/forensic institute/sfjd; 人民调解/mediation/rmtj; 法律援助/legal aid/flyz",
        ),
        (
            "science",
            "科学技术",
            "高新技术企业/high tech firm/gxjs; 科技项目/research project/kjxm; 技术合同/technology contract/jsht; 创新平台/innovation platform/cxpt",
        ),
        (
            "industry",
            "经济和信息化",
            "专精特新/specialised firm/zjtx; 工业能耗/industrial energy/gynh; 亩均论英雄/yield per mu/mjly; 民爆物品/civil explosives/mbwp; 无线电台/radio station/wxdt",
        ),
        (
            "commerce",
            "商务",
            "外商投资/foreign investment/wstz; 对外承包/overseas contract/dwcb; 成品油零售/petrol station/cpy; 拍卖企业/auction house/pmqy; 直销企业/direct sales/zxqy",
        ),
        (
            "customs",
            "海关",
            "报关单位/customs broker/bgdw; 加工贸易/processing trade/jgmy; 企业认证/operator status/qyrz; 出口食品/export food/cksp",
        ),
        (
            "finance",
            "地方金融",
            "小额贷款/micro loan/xedk; 融资担保/loan guarantee/rzdb; 典当行/pawnshop/ddh; 融资租赁/leasing company/rzzl; 私募基金/private fund/smjj",
        ),
        (
            "statistics",
            "统计",
            "联网直报/direct report/lwzb; 经济普查/economic census/jjpc; 规上企业/listed enterprise/gsqy; 统计失信/statistics breach/tjsx",
        ),
        (
            "urban-management",
            "综合行政执法",
            "户外广告/outdoor sign/hwgg; 渣土运输/debris transport/ztys; 占道经营/street stall/zdjy; 餐厨垃圾/kitchen waste/ccl; 犬类管理/dog licence/qlgl",
        ),
        (
            "fire",
            "消防救援",
            "消防验收/fire acceptance/xfys; 消防检查/fire inspection/xfjc; 重点单位/key fire unit/zddw; 技术服务/fire service firm/jsfw",
        ),
        (
            "market",
            "市场监督管理",
            "食品经营/food trade/spjy; 特种设备/special equipment/tzsb; 计量器具/measuring device/jlqj; 认证证书/certification/rzzs; 知识产权/intellectual property/zscq;"
            "投诉举报/complaint/tsjb; 网络交易/online trade/wljy; 抽检结果/sampling result/cjjg",
        ),
        (
            "forestry",
            "林业",
            "林木采伐/logging permit/lmcf; 野生动物/wildlife licence/ysdw; 木材加工/timber works/mcjg; 森林防火/forest fire/slfh",
        ),
        (
            "ocean",
            "海洋渔业",
            "渔船登记/fishing vessel/ycdj; 海域使用/sea area/hysy; 水产养殖/aquaculture/scyz; 船员证书/crew certificate/cyzs",
        ),
        (
            "energy",
            "能源",
            "电力业务/power business/dlyw; 充电设施/charging station/cdss; 光伏项目/solar project/gfxm; 节能审查/energy review/jnsc",
        ),
    )
)

FORMS = _subjects("管理系统/records/gl; 监管平台/supervision/jg; 档案库/archive/da; 申报系统/applications/sb")

COLUMNS = tuple(
    Column(Named(zh, en, native), name, kind, form, grade, ops)
    for zh, en, native, name, kind, form, grade, ops in (
        ("名称", "Name", "MC", "name", "String", "", "L1", "EQ, IN, PREFIX"),
        ("编号", "Its number", "BH", "serialNo", "String", "", "L1", "EQ, IN"),
        ("发证机关", "Issuing body", "FZJG", "issuedBy", "String", "", "L1", ""),
        ("发证日期", "Date of issue", "FZRQ", "issuedOn", "Date", "yyyyMMdd", "L1", "EQ, IN, LT, LE, GT, GE"),
        ("有效期至", "Last day of validity", "YXQZ", "validUntil", "Date", "yyyyMMdd", "L1", "LT, LE, GT, GE"),
        ("行政区划", "Division", "XZQH", "division", "Division", "", "L1", "EQ, IN, PREFIX"),
        ("地址", "Address", "DZ", "address", "String", "", "L1", ""),
        ("负责人", "Person in charge", "FZR", "manager", "String", "", "L2", ""),
        ("联系电话", "Telephone", "LXDH", "telephone", "String", "", "L3", ""),
        ("等级", "Level", "DJ", "level", "String", "", "L1", "EQ, IN"),
        ("得分", "Points", "DF", "points", "Int", "", "L1", ""),
        ("金额", "Amount", "JE", "amount", "Decimal", "", "L2", ""),
        ("面积", "Area in square metres", "MJ", "area", "Decimal", "", "L1", ""),
        ("数量", "Count", "SL", "quantity", "Int", "", "L1", ""),
        ("经营范围", "Scope of business", "JYFW", "scope", "String", "", "L1", ""),
        ("检查时间", "Time of inspection", "JCSJ", "inspectedAt", "DateTime", "yyyyMMddHHmmss", "L1", ""),
        ("检查人员", "Inspector", "JCRY", "inspector", "String", "", "L2", ""),
        ("是否合格", "Whether it passed", "SFHG", "passed", "Boolean", "", "L1", "EQ"),
        ("是否重点", "Whether it is a key unit", "SFZD", "isKey", "Boolean", "", "L1", "EQ"),
        ("备注", "Remarks", "BZ", "remarks", "String", "", "L2", ""),
        ("更新时间", "Time of the last change", "GXSJ", "changedAt", "DateTime", "yyyyMMddHHmmss", "L1", ""),
        ("文书号", "Document number", "WSH", "documentNo", "String", "", "L1", "EQ"),
        ("受理日期", "Date of acceptance", "SLRQ", "acceptedOn", "Date", "yyyyMMdd", "L1", "LT, LE, GT, GE"),
        ("承诺时限", "Promised days", "CNSX", "promisedDays", "Int", "", "L1", ""),
        ("经办人", "Clerk", "JBR", "clerk", "String", "", "L2", ""),
        ("从业人数", "Number of staff", "CYRS", "staff", "Int", "", "L1", ""),
    )
)

STATES = (
    ("VALID", Named("有效", "Valid", "1")),
    ("SUSPENDED", Named("暂停", "Suspended", "2")),
    ("EXPIRED", Named("过期", "Expired", "3")),
    ("REVOKED", Named("注销", "Revoked", "9")),
)
